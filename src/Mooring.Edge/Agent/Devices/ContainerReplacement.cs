using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.Devices;

/// <summary>
/// Replaces a container by one of another image, under the same name and with the same settings. The old one is kept, stopped, until the new
/// one has proved itself; when it does not, the old one is put back.
/// </summary>
internal sealed partial class ContainerReplacement(EngineClient engine, ILogger<ContainerReplacement> logger)
{
    /// <summary>How long a container has to end by itself.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(15);

    /// <summary>Name under which the old container is kept.</summary>
    public static string PreviousOf(string name) => name + "_previous";

    /// <summary>Replaces it.</summary>
    /// <param name="name">The container.</param>
    /// <param name="image">The other image; the engine has it.</param>
    /// <param name="check">Looks whether the new container is good: why it is not, or null.</param>
    /// <param name="cancellationToken">Gives up; the old container is put back then too.</param>
    /// <returns>Why the old container was put back; null when the new one runs.</returns>
    /// <exception cref="EngineException">nothing was changed</exception>
    public async Task<string?> RunAsync(string name, string image, Func<CancellationToken, Task<string?>> check, CancellationToken cancellationToken)
    {
        await RestoreAsync(name, cancellationToken).ConfigureAwait(false);
        var container = await engine.InspectContainerWholeAsync(name, cancellationToken).ConfigureAwait(false)
            ?? throw new EngineException(System.Net.HttpStatusCode.NotFound, $"there is no container {name}");
        var old = (await engine.InspectContainerAsync(name, cancellationToken).ConfigureAwait(false))!;
        var policy = old.HostConfig?.RestartPolicy ?? new RestartPolicy("no");
        var creation = ContainerCopy.Of(container, await engine.InspectImageWholeAsync(old.Image!, cancellationToken).ConfigureAwait(false), image);
        string? reason;
        try
        {
            // Else the engine itself revives it between the two.
            await engine.SetRestartPolicyAsync(name, new RestartPolicy("no"), cancellationToken).ConfigureAwait(false);
            await engine.StopContainerAsync(name, StopGrace, cancellationToken).ConfigureAwait(false);
            await engine.RenameContainerAsync(name, PreviousOf(name), cancellationToken).ConfigureAwait(false);
            await engine.CreateContainerAsync(name, creation, cancellationToken).ConfigureAwait(false);
            await engine.StartContainerAsync(name, cancellationToken).ConfigureAwait(false);
            reason = await check(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is EngineException or OperationCanceledException)
        {
            reason = e is OperationCanceledException ? "it was given up" : e.Message;
        }
        if (reason is null)
        {
            await engine.RemoveContainerAsync(PreviousOf(name), CancellationToken.None).ConfigureAwait(false);
            return null;
        }
        LogPutBack(logger, name, reason);
        await PutBackAsync(name, old.Id, policy).ConfigureAwait(false);
        return reason;
    }

    /// <summary>Puts back what a replacement that was killed left aside.</summary>
    /// <returns>Whether there was something.</returns>
    public async Task<bool> RestoreAsync(string name, CancellationToken cancellationToken)
    {
        var previous = await engine.InspectContainerAsync(PreviousOf(name), cancellationToken).ConfigureAwait(false);
        if (previous is null) return false;
        await engine.RemoveContainerAsync(name, cancellationToken).ConfigureAwait(false);
        await engine.RenameContainerAsync(PreviousOf(name), name, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task PutBackAsync(string name, string oldId, RestartPolicy policy)
    {
        // It may have failed at any step: what stands under the name is only removed when it is not the old one.
        var standing = await engine.InspectContainerAsync(name, CancellationToken.None).ConfigureAwait(false);
        if (standing is not null && standing.Id != oldId) await engine.RemoveContainerAsync(name, CancellationToken.None).ConfigureAwait(false);
        if (standing?.Id != oldId) await engine.RenameContainerAsync(oldId, name, CancellationToken.None).ConfigureAwait(false);
        await engine.SetRestartPolicyAsync(name, policy, CancellationToken.None).ConfigureAwait(false);
        await engine.StartContainerAsync(name, CancellationToken.None).ConfigureAwait(false);
    }

    [LoggerMessage(7047, LogLevel.Warning, "{Container} of the new image is not good, the old one is put back: {Reason}")]
    private static partial void LogPutBack(ILogger logger, string container, string reason);
}
