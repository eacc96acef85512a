using System.Globalization;
using Mooring.Chat.Configuration;
using Mooring.Testing;

namespace Mooring.Chat.Tests.Lines;

/// <summary>Plays the transcripts of tests/vectors/chat with a connection for each name in them.</summary>
public sealed class TranscriptTests : ChatTest
{
    public static MatrixTheoryData<string, bool> Transcripts { get; } = new(
        Directory.EnumerateFiles(RepositoryRoot.Combine("tests/vectors/chat"), "*.txt").Select(path => Path.GetFileNameWithoutExtension(path)), [false, true]);

    [Theory]
    [MemberData(nameof(Transcripts))]
    public async Task Transcript_is_what_clients_see(string name, bool isEncrypted)
    {
        var lines = (await File.ReadAllLinesAsync(RepositoryRoot.Combine($"tests/vectors/chat/{name}.txt"), TestTimeout))
            .Where(line => line.Length > 0 && line[0] != '#').ToList();
        var options = Standard;
        if (lines[0].StartsWith("options ", StringComparison.Ordinal))
        {
            options = With(lines[0]["options ".Length..]);
            lines.RemoveAt(0);
        }
        using var authority = isEncrypted ? new TestAuthority() : null;
        if (authority is not null) options = options with { UseSsl = true, CertPath = authority.Server.Certificate, KeyPath = authority.Server.Key };
        var server = await StartAsync(options);
        var connections = new Dictionary<string, LineConnection>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var parts = line.Split(' ', 3);
            if (!connections.TryGetValue(parts[0], out var connection)) connections.Add(parts[0], connection = isEncrypted ? await ConnectTlsAsync(server) : await ConnectAsync(server));
            if (parts[1] == ">") await connection.SendAsync(parts[2]);
            else Assert.Equal((line, parts[2] == "(end)" ? null : parts[2]), (line, await connection.ReadAsync()));
        }
    }

    private static ChatOptions With(string words) => words.Split('=') switch
    {
        ["classic"] => Standard with { ClassicWireFormat = true, AllowDetached = true },
        ["history", var count] => Standard with { Limits = new ChatLimits { HistorySize = int.Parse(count, CultureInfo.InvariantCulture) } },
        _ => throw new InvalidOperationException($"the transcript wants {words}"),
    };
}
