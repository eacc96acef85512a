using System.Globalization;
using Mooring.Bench.Processes;

namespace Mooring.Bench.Tunnel;

/// <summary>The server under test as a process, on ports and data that a second start finds again.</summary>
internal sealed class SelfServer(string program, string data, TimeProvider time)
{
    /// <summary>More than any case opens for its one account.</summary>
    private const string Many = "100000";

    public int Control { get; } = PeerProcess.FreePort();

    public int Http { get; } = PeerProcess.FreePort();

    /// <summary>An operator's token.</summary>
    public string Token { get; } = Guid.NewGuid().ToString("N");

    public string Data => data;

    /// <summary>Starts it and waits until clients may come.</summary>
    public Task<PeerProcess> StartAsync(CancellationToken cancellationToken) => PeerProcess.StartAsync(
        [
            program, "tunnel", "serve", "--server-log-level", "Warning", "--port", PeerProcess.PortPlaceholder, "--http-port", Http.ToString(CultureInfo.InvariantCulture),
            "--data", data, "--token", Token, "--account-tunnels", Many, "--account-sessions", Many, "--tcp-connections", "10000",
        ],
        Control, time, cancellationToken);
}
