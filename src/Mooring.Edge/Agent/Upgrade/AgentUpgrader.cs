using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.Upgrade;

/// <summary>
/// Replaces the agent's container, from a container of its own: nobody can replace himself. The new agent is good when a hub has let it in;
/// else the old one is put back.
/// </summary>
public static partial class AgentUpgrader
{
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(500);

    /// <summary>Does it.</summary>
    /// <param name="options">What is replaced by what.</param>
    /// <param name="time">Clock of the waits.</param>
    /// <param name="loggers">Told what happens.</param>
    /// <param name="cancellationToken">Gives up; the old agent is put back then too.</param>
    /// <returns>Why the old agent was put back; null when the new one runs.</returns>
    public static async Task<string?> RunAsync(AgentUpgraderOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var logger = loggers.CreateLogger(typeof(AgentUpgrader));
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = options.EngineSocket }, time);
        var replacement = new ContainerReplacement(engine, loggers.CreateLogger<ContainerReplacement>());
        await Task.Delay(options.Delay, time, cancellationToken).ConfigureAwait(false);
        string? reason;
        try
        {
            // Another mark than this one is the new agent's, whatever time its clock shows: somebody may have set it.
            var former = SessionMark.Read(options.DataFolder);
            reason = await replacement.RunAsync(options.Container, options.Image, stop => ProveAsync(options, engine, former, time, stop), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (EngineException e)
        {
            reason = e.Message;
        }
        new UpgradeResult(options.Image, reason).Write(options.DataFolder);
        if (reason is null) LogDone(logger, options.Container, options.Image);
        return reason;
    }

    private static async Task<string?> ProveAsync(
        AgentUpgraderOptions options, EngineClient engine, DateTimeOffset? former, TimeProvider time, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(LookPause, time, cancellationToken).ConfigureAwait(false);
            var agent = await engine.InspectContainerAsync(options.Container, cancellationToken).ConfigureAwait(false);
            var isRunning = agent is { State.Running: true, RestartCount: 0 };
            // Its restart policy may be about to start it again; one that goes on falling over never gets in.
            if (agent is { State.Running: true } && SessionMark.Read(options.DataFolder) is { } mark && mark != former) return null;
            if (time.GetElapsedTime(since) < options.SessionTimeout) continue;
            return isRunning
                ? $"no hub let the new agent in within {options.SessionTimeout.TotalSeconds} s"
                : "the new agent does not stay up";
        }
    }

    [LoggerMessage(7080, LogLevel.Information, "{Container} runs {Image} now")]
    private static partial void LogDone(ILogger logger, string container, string image);
}
