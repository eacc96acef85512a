using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Operations;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Brings the image of a runtime to this machine.</summary>
/// <param name="engine">The engine.</param>
/// <param name="operations">Shown the progress.</param>
/// <param name="logger">Told when the local image has to do.</param>
internal sealed partial class ImagePull(EngineClient engine, OperationTable operations, ILogger<ImagePull> logger)
{
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
        try
        {
            var layers = new Dictionary<string, (long Bytes, bool IsDone)>(StringComparer.Ordinal);
            await foreach (var progress in engine.PullAsync(repository, tag, cancellationToken).ConfigureAwait(false))
            {
                if (progress.Id is not { } layer || layer == tag) continue;
                var former = layers.GetValueOrDefault(layer);
                layers[layer] = (Math.Max(former.Bytes, progress.ProgressDetail?.Current ?? 0),
                    former.IsDone || progress.Status is "Pull complete" or "Already exists");
                operations.Progress(device, new PullState(layers.Values.Count(l => l.IsDone), layers.Count, layers.Values.Sum(l => l.Bytes)));
            }
            return null;
        }
        catch (EngineException e) when (isHere && !e.IsUnavailable)
        {
            LogLocalImage(logger, image, e.Message);
            return $"the image {image} could not be pulled, the local one is used: {e.Message}";
        }
        catch (EngineException e) when (!e.IsUnavailable)
        {
            throw new EngineException(System.Net.HttpStatusCode.NotFound, $"runtime version {tag} is neither in the registry nor on this machine ({image}): {e.Message}");
        }
    }

    [LoggerMessage(7020, LogLevel.Warning, "the image {Image} could not be pulled, the local one is used: {Reason}")]
    private static partial void LogLocalImage(ILogger logger, string image, string reason);
}
