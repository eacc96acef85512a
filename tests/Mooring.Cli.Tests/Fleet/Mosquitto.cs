using System.Globalization;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Fleet;

/// <summary>A mosquitto of the test's own, plain or with mutual TLS; it may be stopped and started again on its port.</summary>
internal sealed class Mosquitto(string folder, DevelopmentAuthority? authority = null) : IAsyncDisposable
{
    private ProcessUnderTest? _process;

    internal int Port { get; } = FreePort.Next();

    /// <summary>Options of mosquitto_pub and mosquitto_sub that reach it.</summary>
    internal IReadOnlyList<string> ClientOptions
    {
        get
        {
            string[] address = ["-h", "localhost", "-p", Port.ToString(CultureInfo.InvariantCulture)];
            if (authority is null) return address;
            var files = authority.Client("gateway");
            return [.. address, "--cafile", authority.AuthorityPath, "--cert", files.Certificate!, "--key", files.Key!];
        }
    }

    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        List<string> lines =
        [
            string.Create(CultureInfo.InvariantCulture, $"listener {Port} 127.0.0.1"), "allow_anonymous true", "persistence false", "log_type all", "user root",
        ];
        if (authority is not null)
        {
            var files = authority.Server("localhost");
            lines.AddRange([$"cafile {authority.AuthorityPath}", $"certfile {files.Certificate}", $"keyfile {files.Key}", "require_certificate true"]);
        }
        var path = Path.Combine(folder, "mosquitto.conf");
        await File.WriteAllLinesAsync(path, lines, cancellationToken);
        _process = ProcessUnderTest.Start(
            "mosquitto", ["-c", path, "-v"], new Dictionary<string, string?> { ["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin" });
        await _process.LineAsync("running", cancellationToken);
    }

    internal async Task StopAsync()
    {
        if (_process is null) return;
        await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>Stops its process, so that connections stay and nothing is answered.</summary>
    internal void Freeze() => _process!.Freeze();

    internal void Thaw() => _process!.Thaw();

    /// <summary>Waits until somebody has subscribed to the topic of a car.</summary>
    internal Task SubscribedAsync(string topic, CancellationToken cancellationToken) =>
        _process!.LineAsync(line => line.EndsWith($" 1 {topic}", StringComparison.Ordinal), $"subscription to {topic}", cancellationToken);

    public async ValueTask DisposeAsync() => await StopAsync();
}
