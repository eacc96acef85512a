using System.Buffers;
using System.Text.Unicode;

namespace Mooring.Mqtt.Codec;

/// <summary>What a UTF-8 string of MQTT may contain (MQTT-1.5.4).</summary>
internal static class Utf8Text
{
    /// <summary>C0 controls but NUL (which is never allowed) and DEL; C1 controls are two bytes and looked for apart.</summary>
    private static readonly SearchValues<byte> Controls = SearchValues.Create(
        [.. Enumerable.Range(1, 0x1F).Select(value => (byte)value), 0x7F]);

    /// <summary>Well-formed per RFC 3629 and without U+0000 (MQTT-1.5.4-1, MQTT-1.5.4-2).</summary>
    internal static bool IsValid(ReadOnlySpan<byte> text) => !text.Contains((byte)0) && Utf8.IsValid(text);

    /// <summary>
    /// Whether well-formed text holds control characters (U+0001..1F, U+007F..9F) or non-characters, which a
    /// receiver may refuse.
    /// </summary>
    internal static bool HasDiscouragedCharacters(ReadOnlySpan<byte> text)
    {
        if (text.ContainsAny(Controls))
        {
            return true;
        }

        for (var at = text.IndexOfAnyInRange((byte)0xC2, (byte)0xF4); at >= 0 && at + 1 < text.Length;)
        {
            var rest = text[at..];
            if (System.Text.Rune.DecodeFromUtf8(rest, out var rune, out var length) != OperationStatus.Done)
            {
                return true;
            }

            if (rune.Value is >= 0x80 and <= 0x9F or >= 0xFDD0 and <= 0xFDEF || (rune.Value & 0xFFFE) == 0xFFFE)
            {
                return true;
            }

            var next = text[(at + length)..].IndexOfAnyInRange((byte)0xC2, (byte)0xF4);
            at = next < 0 ? -1 : at + length + next;
        }

        return false;
    }
}
