using System.Text;
using System.Text.Unicode;

namespace Mooring.Chat.Protocol;

/// <summary>The text of messages: UTF-8, counted in Unicode scalars, made harmless for terminals and for line protocols.</summary>
internal static class ChatText
{
    private const byte ContinuationMask = 0xC0;
    private const byte Continuation = 0x80;

    // C1 controls are U+0080 to U+009F: the two bytes C2 80 to C2 9F.
    private const byte C1Lead = 0xC2;
    private const byte C1Last = 0x9F;

    /// <summary>Whether every byte is printable ASCII: then it is valid UTF-8, free of controls and one scalar a byte.</summary>
    internal static bool IsPlain(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~');

    internal static bool IsValid(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes);

    internal static bool IsLongerThan(ReadOnlySpan<byte> text, int scalarsMax) => text.Length > scalarsMax && Scalars(text) > scalarsMax;

    internal static int Scalars(ReadOnlySpan<byte> text)
    {
        var scalars = 0;
        foreach (var b in text)
            if ((b & ContinuationMask) != Continuation) scalars++;
        return scalars;
    }

    /// <summary>The next line of a text: CR LF, LF and CR all end a line, so that a text cannot forge a line of the protocol.</summary>
    internal static bool TryNextLine(ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> line)
    {
        var end = text.IndexOfAny((byte)'\r', (byte)'\n');
        line = end < 0 ? text : text[..end];
        if (end < 0)
        {
            text = default;
            return false;
        }
        var length = text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1;
        text = text[(end + length)..];
        return true;
    }

    /// <summary>Copies without C0 controls (except TAB), DEL and C1 controls; returns what was written.</summary>
    internal static int CopyWithoutControls(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var written = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var b = text[i];
            if (b is < 0x20 and not (byte)'\t' or 0x7F) continue;
            if (b == C1Lead && i + 1 < text.Length && text[i + 1] <= C1Last)
            {
                i++;
                continue;
            }
            destination[written++] = b;
        }
        return written;
    }

    internal static string Decode(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);
}
