namespace Mooring.Mqtt.Tests.Codec;

/// <summary>One line of tests/vectors/mqtt/packets.txt.</summary>
public sealed record Vector(MqttVersion Version, byte[] Bytes, string Expected, string Clause)
{
    internal static IReadOnlyList<Vector> All { get; } = Load();

    /// <summary>Name in test output; also what theory data carries, so that each vector is a test of its own.</summary>
    public override string ToString() => $"{Version} {Convert.ToHexString(Bytes)} {Expected}";

    private static List<Vector> Load()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Mooring.slnx")))
        {
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("Mooring.slnx not found above the tests");
        }

        return [.. File.ReadLines(Path.Combine(root, "tests", "vectors", "mqtt", "packets.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(Parse)];
    }

    private static Vector Parse(string line)
    {
        var comment = line.IndexOf(" # ", StringComparison.Ordinal);
        var fields = line[..comment].Split(' ', 3);
        var version = fields[0] == "v5" ? MqttVersion.V500 : MqttVersion.V311;
        return new Vector(version, Convert.FromHexString(fields[1]), fields[2].Trim(), line[(comment + 3)..]);
    }
}
