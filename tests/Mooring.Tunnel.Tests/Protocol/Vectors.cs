using Mooring.Testing;

namespace Mooring.Tunnel.Tests.Protocol;

/// <summary>The files of tests/vectors/tunnel, and those of a proxy: a name and the bytes of one message on each line.</summary>
internal static class Vectors
{
    internal static IReadOnlyDictionary<string, byte[]> GenerationA { get; } = Load("tunnel/generation-a.txt");

    internal static IReadOnlyDictionary<string, byte[]> GenerationB { get; } = Load("tunnel/generation-b.txt");

    internal static IReadOnlyDictionary<string, byte[]> ProxyHeaders { get; } = Load("proxy/headers.txt");

    /// <summary>What a line says after the bytes.</summary>
    internal static string Remark(string file, string name) =>
        File.ReadLines(RepositoryRoot.Combine("tests/vectors/" + file)).First(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Split(' ')[2];

    private static Dictionary<string, byte[]> Load(string file) => File
        .ReadLines(RepositoryRoot.Combine("tests/vectors/" + file))
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split(' '))
        .ToDictionary(fields => fields[0], fields => Convert.FromHexString(fields[1]), StringComparer.Ordinal);
}
