using System.Text;

namespace Mooring.Chat.Protocol;

/// <summary>
/// One line of a client, cut into its parts; the parts lend the bytes of the line.
/// <code>
/// line = verb [SP argument [SP text]]
/// </code>
/// Text is everything behind the one space that follows the argument, byte for byte.
/// </summary>
internal readonly ref struct ChatLine
{
    private static readonly (string Name, ChatVerb Verb)[] Verbs =
        [.. Enum.GetValues<ChatVerb>().Where(verb => verb != ChatVerb.Unknown).Select(verb => (verb.ToString().ToUpperInvariant(), verb))];

    private ChatLine(ReadOnlySpan<byte> word, ChatVerb verb, ReadOnlySpan<byte> argument, ReadOnlySpan<byte> text)
    {
        Word = word;
        Verb = verb;
        Argument = argument;
        Text = text;
    }

    internal ReadOnlySpan<byte> Word { get; }

    internal ChatVerb Verb { get; }

    internal ReadOnlySpan<byte> Argument { get; }

    internal ReadOnlySpan<byte> Text { get; }

    /// <summary>Everything behind the verb, without the spaces at both ends.</summary>
    internal static ReadOnlySpan<byte> Rest(ReadOnlySpan<byte> line)
    {
        var space = line.IndexOf((byte)' ');
        return space < 0 ? default : line[(space + 1)..].Trim((byte)' ');
    }

    internal static ChatLine Parse(ReadOnlySpan<byte> line)
    {
        Cut(line, out var word, out var rest);
        Cut(rest, out var argument, out var text);
        return new ChatLine(word, VerbOf(word), argument, text);
    }

    internal static string NameOf(ChatVerb verb) => Verbs[(int)verb - 1].Name;

    private static ChatVerb VerbOf(ReadOnlySpan<byte> word)
    {
        // Most lines are SEND.
        if (Ascii.EqualsIgnoreCase(word, "SEND"u8)) return ChatVerb.Send;
        foreach (var (name, verb) in Verbs)
            if (Ascii.EqualsIgnoreCase(word, name)) return verb;
        return ChatVerb.Unknown;
    }

    private static void Cut(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> first, out ReadOnlySpan<byte> rest)
    {
        var space = bytes.IndexOf((byte)' ');
        first = space < 0 ? bytes : bytes[..space];
        rest = space < 0 ? default : bytes[(space + 1)..];
    }
}
