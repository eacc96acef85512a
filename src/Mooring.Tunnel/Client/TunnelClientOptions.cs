namespace Mooring.Tunnel.Client;

/// <summary>How a client reaches its server, and what it publishes there.</summary>
public sealed record TunnelClientOptions
{
    /// <summary>Where a client goes that was told nothing else: the server of <c>mooring up</c>.</summary>
    public const string DefaultServer = "localhost:6400";

    /// <summary>The server: <c>HOST</c>, <c>HOST:PORT</c>, <c>ws://…</c> or <c>wss://…</c>.</summary>
    public string Server { get; init; } = DefaultServer;

    /// <summary>Token of the account.</summary>
    public string Token { get; init; } = "";

    /// <summary>What to publish; at least one.</summary>
    public IReadOnlyList<TunnelDefinition> Tunnels { get; init; } = [];

    /// <summary>PEM file of the authorities that the server's certificate must come from; null (default) for the system's.</summary>
    public string? Authorities { get; init; }

    /// <summary>Accept any certificate. Default false, for this machine's own names too.</summary>
    public bool IsInsecure { get; init; }

    /// <summary>
    /// Asked for another token when the server does not know the one that is used (any more), with that token and the generation of the wire;
    /// null, of the function or of its result, means that there is none. Asked once for each connection that is lost.
    /// </summary>
    public Func<string, TunnelWire, CancellationToken, Task<string?>>? AnotherToken { get; init; }

    /// <summary>Try for ever to get the first connection too. Default false: the first failure is thrown.</summary>
    public bool KeepsTryingAtStart { get; init; }

    /// <summary>Which generation of the wire is spoken.</summary>
    public TunnelWire Wire { get; init; }

    /// <summary>A connection on which nothing was heard for 20 s is asked for a sign of life; this is how long the answer may take. Default 20 s.</summary>
    public TimeSpan PongTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Keeps exchanges of HTTP tunnels for looking at them; null (default) for none.</summary>
    public Inspection.TunnelInspector? Inspector { get; init; }

    /// <summary>Told after each exchange with a visitor; called on the data path, so it must not wait.</summary>
    public Action<ObservedRequest>? RequestObserved { get; init; }

    /// <summary>Told when the connection changes.</summary>
    public Action<TunnelStatus>? StatusChanged { get; init; }
}
