using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.Topics;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Brings the image of a runtime to this machine.</summary>
/// <param name="engine">The engine.</param>
/// <param name="operations">Shown the progress.</param>
/// <param name="outbox">Tells hubs of it.</param>
/// <param name="time">Clock of the wait for a registry.</param>
/// <param name="logger">Told when the local image has to do.</param>
internal sealed partial class ImagePull(EngineClient engine, OperationTable operations, IHubOutbox outbox, TimeProvider time, ILogger<ImagePull> logger)
{
    /// <summary>
    /// How long a registry may be silent while there is a local image. Without a network the engine itself asks name servers for most of a minute.
    /// </summary>
    private static readonly TimeSpan RegistrySilence = TimeSpan.FromSeconds(10);

    /// <summary>The engine tells of every few kilobytes; a hub needs no more than this.</summary>
    private static readonly TimeSpan EventPause = TimeSpan.FromSeconds(1);

    /// <summary>Pulls an image. Without a registry the one that the engine has must do.</summary>
    /// <param name="device">For whom.</param>
    /// <param name="repository">Name without tag.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="policy">When to ask the registry.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What the operator should know; null when all is as asked.</returns>
    /// <exception cref="EngineException">there is no such image, neither there nor here</exception>
    public async Task<string?> EnsureAsync(string device, string repository, string tag, PullPolicy policy, CancellationToken cancellationToken)
    {
        var image = $"{repository}:{tag}";
        var isHere = await engine.InspectImageAsync(image, cancellationToken).ConfigureAwait(false) is not null;
        if (isHere && policy == PullPolicy.IfNotPresent) return null;
        using var silence = new CancellationTokenSource(isHere ? RegistrySilence : Timeout.InfiniteTimeSpan, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        try
        {
            await PullAsync(device, repository, tag, silence, linked.Token).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Local(image, $"the registry did not answer within {RegistrySilence.TotalSeconds} s");
        }
        catch (EngineException e) when (isHere && !e.IsUnavailable)
        {
            return Local(image, e.Message);
        }
        catch (EngineException e) when (!e.IsUnavailable)
        {
            throw new EngineException(System.Net.HttpStatusCode.NotFound, $"runtime version {tag} is neither in the registry nor on this machine ({image}): {e.Message}");
        }
    }

    private async Task PullAsync(string device, string repository, string tag, CancellationTokenSource silence, CancellationToken cancellationToken)
    {
        var layers = new Dictionary<string, (long Bytes, bool IsDone)>(StringComparer.Ordinal);
        long? told = null;
        await foreach (var progress in engine.PullAsync(repository, tag, cancellationToken).ConfigureAwait(false))
        {
            silence.CancelAfter(Timeout.InfiniteTimeSpan);
            if (progress.Id is not { } layer || layer == tag) continue;
            var former = layers.GetValueOrDefault(layer);
            layers[layer] = (Math.Max(former.Bytes, progress.ProgressDetail?.Current ?? 0),
                former.IsDone || progress.Status is "Pull complete" or "Already exists");
            var state = new PullState(layers.Values.Count(l => l.IsDone), layers.Count, layers.Values.Sum(l => l.Bytes));
            operations.Progress(device, state);
            if (told is { } before && time.GetElapsedTime(before) < EventPause && state.LayersDone < state.LayersTotal) continue;
            told = time.GetTimestamp();
            Tell(device, $"{repository}:{tag}", state);
        }
    }

    private void Tell(string device, string image, PullState state) => outbox.Emit("pull_progress", new JsonObject
    {
        ["device_id"] = device, ["image"] = image, ["layers_done"] = state.LayersDone, ["layers_total"] = state.LayersTotal, ["bytes"] = state.Bytes,
    });

    private string Local(string image, string reason)
    {
        LogLocalImage(logger, image, reason);
        return $"the image {image} could not be pulled, the local one is used: {reason}";
    }

    [LoggerMessage(7020, LogLevel.Warning, "the image {Image} could not be pulled, the local one is used: {Reason}")]
    private static partial void LogLocalImage(ILogger logger, string image, string reason);
}
