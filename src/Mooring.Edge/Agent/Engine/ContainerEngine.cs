namespace Mooring.Edge.Agent.Engine;

/// <summary>Looks whether a container engine answers on this machine.</summary>
public static class ContainerEngine
{
    private const string UnixScheme = "unix://";

    // A local engine answers in milliseconds; one that hangs must not hold up who asks.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The socket on which people expect the engine: that of <c>DOCKER_HOST</c>, else the usual one.</summary>
    public static string UsualSocket =>
        Environment.GetEnvironmentVariable("DOCKER_HOST") is { } host && host.StartsWith(UnixScheme, StringComparison.Ordinal)
            ? host[UnixScheme.Length..] : new AgentOptions().EngineSocket;

    /// <summary>Asks the engine for its API version.</summary>
    /// <param name="socketPath">Its Unix socket.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Such as <c>1.41</c>; null when no usable engine answers.</returns>
    public static async Task<string?> VersionAsync(string socketPath, CancellationToken cancellationToken)
    {
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = socketPath, ConnectTimeout = Patience, RequestTimeout = Patience }, TimeProvider.System);
        try
        {
            return (await engine.NegotiateAsync(cancellationToken).ConfigureAwait(false)).ToString();
        }
        catch (EngineException)
        {
            return null;
        }
    }
}
