using System.Globalization;
using System.Text;
using Mooring.Testing;

namespace Mooring.SocketIO.Tests.Codec;

/// <summary>One line of a file in tests/vectors/socketio.</summary>
public sealed record Vector(byte[] Bytes, string Expected, string Line)
{
    internal static IReadOnlyList<Vector> Packets { get; } = Load("packets.txt");

    internal static IReadOnlyList<Vector> Payloads { get; } = Load("payloads.txt");

    internal static IReadOnlyList<Vector> Handshakes { get; } = Load("handshakes.txt");

    /// <summary>Shown as the test's name.</summary>
    public override string ToString() => Line;

    private static List<Vector> Load(string file) =>
    [
        .. File.ReadLines(RepositoryRoot.Combine("tests", "vectors", "socketio", file))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(Parse),
    ];

    private static Vector Parse(string line)
    {
        var arrow = line.IndexOf(" => ", StringComparison.Ordinal);
        var comment = line.LastIndexOf(" # ", StringComparison.Ordinal);
        return new Vector(Unescape(line[..arrow]), line[(arrow + 4)..comment], line);
    }

    private static byte[] Unescape(string text)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < text.Length;)
        {
            if (text.AsSpan(i).StartsWith("\\x") && i + 4 <= text.Length)
            {
                bytes.Add(byte.Parse(text.AsSpan(i + 2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                i += 4;
            }
            else
            {
                var rune = Rune.GetRuneAt(text, i);
                bytes.AddRange(Encoding.UTF8.GetBytes(rune.ToString()));
                i += rune.Utf16SequenceLength;
            }
        }
        return [.. bytes];
    }
}
