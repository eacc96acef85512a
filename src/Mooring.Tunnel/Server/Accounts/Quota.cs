namespace Mooring.Tunnel.Server.Accounts;

/// <summary>What an account may use at a time.</summary>
/// <param name="Tunnels">Tunnels.</param>
/// <param name="Sessions">Connections of clients.</param>
/// <param name="Streams">Concurrent streams.</param>
/// <param name="RequestsPerSecond">Requests of visitors, over all tunnels; five seconds' worth may come at once; 0 for no limit.</param>
/// <param name="BytesPerDay">Payload bytes in both directions, over all tunnels, from midnight to midnight (UTC); 0 for no limit.</param>
public sealed record Quota(int Tunnels, int Sessions, int Streams, int RequestsPerSecond, long BytesPerDay = 0)
{
    /// <summary>Above this a limit means nothing.</summary>
    public const int RequestsPerSecondMax = 1_000_000;

    /// <summary>Enough for a person's own server. A public one sets less.</summary>
    public static Quota Default { get; } = new(Tunnels: 100, Sessions: 20, Streams: 1024, RequestsPerSecond: 0);
}
