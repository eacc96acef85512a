using System.Globalization;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Hubs;
using Mooring.Edge.Agent.Policy;
using Mooring.Kernel.Options;

namespace Mooring.Edge.Agent;

/// <summary>Looks whether an agent could run as it is told to, and starts nothing.</summary>
public static class AgentCheck
{
    /// <summary>Looks at identity, policy, engine and network monitor.</summary>
    /// <param name="options">How the agent is to run.</param>
    /// <param name="time">Clock of the time-outs.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was found, all of it.</returns>
    public static async Task<IReadOnlyList<AgentFinding>> RunAsync(AgentOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        return [Identity(options, time), Policy(options), await EngineAsync(options, time, cancellationToken).ConfigureAwait(false), Monitor(options)];
    }

    private static AgentFinding Identity(AgentOptions options, TimeProvider time)
    {
        try
        {
            var files = AgentCertificate.FilesOf(options);
            var id = AgentCertificate.ReadId(files);
            var end = Kernel.Tls.PemFiles.Load(files, time.GetUtcNow()).Certificate!.NotAfter.ToUniversalTime();
            return new AgentFinding(true, string.Create(CultureInfo.InvariantCulture, $"identity: agent {id} for {options.Server.Authority}, its certificate ends on {end:yyyy-MM-dd}"));
        }
        catch (AgentStartException e)
        {
            return new AgentFinding(false, $"identity: {e.Message}");
        }
    }

    private static AgentFinding Policy(AgentOptions options)
    {
        var path = options.PolicyFile ?? Path.Combine(options.DataFolder, "policy.json");
        try
        {
            AgentPolicy.Load(path, mustExist: options.PolicyFile is not null);
            return new AgentFinding(true, File.Exists(path) ? $"policy: {path}" : "policy: none, hubs may do everything");
        }
        catch (ConfigurationException e)
        {
            return new AgentFinding(false, $"policy: {e.Message}");
        }
    }

    private static async Task<AgentFinding> EngineAsync(AgentOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = options.EngineSocket }, time);
        try
        {
            return new AgentFinding(true, $"engine: API {await engine.NegotiateAsync(cancellationToken).ConfigureAwait(false)} at {options.EngineSocket}");
        }
        catch (EngineException e)
        {
            return new AgentFinding(false, $"engine: {e.Message}");
        }
    }

    // Without it an agent runs; its devices have no place on the plant's network until it comes.
    private static AgentFinding Monitor(AgentOptions options) => new(true, File.Exists(options.EffectiveMonitorSocket)
        ? $"network monitor: {options.EffectiveMonitorSocket}"
        : $"network monitor: none at {options.EffectiveMonitorSocket} yet; devices get their place on the plant's network when it runs");
}
