using System.Globalization;
using System.Net;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Configuration;

/// <summary><c>mooring up</c> as a process on ports that the system chooses, with a folder of its own.</summary>
internal sealed class UpRun : IAsyncDisposable
{
    internal static readonly string Program = Path.Combine(AppContext.BaseDirectory, "mooring");

    private static readonly string[] FreePorts =
    [
        "--mqtt-port", "0", "--http-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0",
    ];

    private UpRun(ProcessUnderTest process) => Process = process;

    internal ProcessUnderTest Process { get; }

    /// <summary>Scheme and authority of port 7700's place.</summary>
    internal string Console { get; private set; } = "";

    internal static UpRun Begin(string data, IReadOnlyList<string> more, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        // A file of the broker has its ports too.
        var ports = more.Contains("--mqtt-config") ? FreePorts[2..] : FreePorts;
        return new(ProcessUnderTest.Start(Program, ["up", "--data", data, .. ports, .. more], environment, folder ?? data));
    }

    internal static async Task<UpRun> StartAsync(string data, CancellationToken cancellationToken, params string[] more)
    {
        var run = Begin(data, more);
        await run.ReadyAsync(cancellationToken);
        return run;
    }

    internal async Task ReadyAsync(CancellationToken cancellationToken)
    {
        await Process.LineAsync("Ctrl-C stops everything", cancellationToken);
        var row = Process.Lines.Single(line => line.TrimStart().StartsWith("health ", StringComparison.Ordinal));
        var url = row[row.IndexOf("http", StringComparison.Ordinal)..].Split(' ')[0];
        Console = url[..url.IndexOf("/health", StringComparison.Ordinal)];
    }

    internal int PortOf(string row)
    {
        var line = Process.Lines.First(line => line.TrimStart().StartsWith(row + " ", StringComparison.Ordinal));
        var address = line[line.IndexOf("://", StringComparison.Ordinal)..][3..].Split(' ', '/')[0];
        return int.Parse(address[(address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
    }

    internal async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        Process.Terminate();
        return await Process.ExitAsync(cancellationToken);
    }

    internal static HttpClient Client() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.All });

    public ValueTask DisposeAsync() => Process.DisposeAsync();
}
