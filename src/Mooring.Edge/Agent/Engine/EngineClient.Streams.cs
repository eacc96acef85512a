using Mooring.Edge.Protocol;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Mooring.Edge.Agent.Engine;

internal sealed partial class EngineClient
{
    /// <summary>An image that the engine has.</summary>
    /// <returns>What it knows; null when it has no such image.</returns>
    public async Task<ImageDetails?> InspectImageAsync(string image, CancellationToken cancellationToken)
    {
        try
        {
            return await SendVersionedAsync(
                HttpMethod.Get, $"images/{image}/json", EngineJson.Default.ImageDetails, cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Fetches an image from its registry, and reports each step as it comes.</summary>
    /// <param name="repository">Name without tag.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="cancellationToken">Ends the pull.</param>
    /// <exception cref="EngineException">the registry does not have it, or cannot be reached</exception>
    public async IAsyncEnumerable<PullProgress> PullAsync(
        string repository, string tag, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var path = $"images/create?fromImage={Escape(repository)}&tag={Escape(tag)}";
        using var answer = await OpenAsync(HttpMethod.Post, path, cancellationToken).ConfigureAwait(false);
        await foreach (var line in LinesAsync(answer, cancellationToken).ConfigureAwait(false))
        {
            var progress = JsonSerializer.Deserialize(line, EngineStreamJson.Default.PullProgress);
            if (progress?.Error is { } error) throw new EngineException(System.Net.HttpStatusCode.BadGateway, error);
            if (progress is not null) yield return progress;
        }
    }

    /// <summary>What happens to containers from now on, until the engine ends the stream or the caller leaves.</summary>
    /// <param name="actions">Which actions, such as <c>die</c> and <c>start</c>.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    public async IAsyncEnumerable<EngineEvent> EventsAsync(
        IReadOnlyList<string> actions, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var wanted = string.Join(',', actions.Select(action => $"\"{action}\""));
        var filters = $$"""{"type":["container"],"event":[{{wanted}}]}""";
        using var answer = await OpenAsync(HttpMethod.Get, $"events?filters={Escape(filters)}", cancellationToken).ConfigureAwait(false);
        await foreach (var line in LinesAsync(answer, cancellationToken).ConfigureAwait(false))
            if (JsonSerializer.Deserialize(line, EngineStreamJson.Default.EngineEvent) is { } happened) yield return happened;
    }

    /// <summary>What a container wrote, oldest first, and with <paramref name="follow"/> what it goes on to write.</summary>
    /// <param name="name">The container.</param>
    /// <param name="tail">How many of the last lines to begin with.</param>
    /// <param name="follow">Whether to go on until the container ends.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    public async IAsyncEnumerable<LogFrame> LogsAsync(
        string name, int tail, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var path = $"containers/{Escape(name)}/logs?stdout=1&stderr=1&tail={tail}&follow={(follow ? 1 : 0)}";
        using var answer = await OpenAsync(HttpMethod.Get, path, cancellationToken).ConfigureAwait(false);
        var reader = PipeReader.Create(await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        await using var _ = new ReaderCompletion(reader);
        while (true)
        {
            var read = await ReadAsync(reader, cancellationToken).ConfigureAwait(false);
            var rest = read.Buffer;
            while (LogFrames.TryRead(ref rest, out var frame)) yield return frame;
            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted) yield break;
        }
    }

    private async IAsyncEnumerable<byte[]> LinesAsync(
        HttpResponseMessage answer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var reader = PipeReader.Create(await answer.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        await using var _ = new ReaderCompletion(reader);
        while (true)
        {
            var read = await ReadAsync(reader, cancellationToken).ConfigureAwait(false);
            var rest = read.Buffer;
            while (JsonLines.TryRead(ref rest, out var line))
                if (line.Length > 0) yield return line;
            if (rest.Length > _options.MaxLineBytes)
                throw new EngineException($"a line of the engine's stream is longer than {_options.MaxLineBytes} bytes", new InvalidDataException());
            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted) yield break;
        }
    }

    private async ValueTask<ReadResult> ReadAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is HttpRequestException or IOException)
        {
            throw Unreachable(cause);
        }
    }

    private sealed class ReaderCompletion(PipeReader reader) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => reader.CompleteAsync();
    }
}
