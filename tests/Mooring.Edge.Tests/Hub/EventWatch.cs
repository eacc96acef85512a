using System.Text.Json;

namespace Mooring.Edge.Tests.Hub;

/// <summary>Watches the hub's events.</summary>
internal sealed class EventWatch : IDisposable
{
    private readonly Task<HttpResponseMessage> _response;
    private StreamReader? _reader;

    public EventWatch(HttpClient http, string path) => _response = http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);

    /// <summary>Waits until events of from now on will be seen.</summary>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        if (_reader is not null) return;
        var response = (await _response.WaitAsync(cancellationToken)).EnsureSuccessStatusCode();
        _reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        await _reader.ReadLineAsync(cancellationToken);
    }

    /// <summary>The next event of a kind, or the next of any.</summary>
    public async Task<JsonElement> NextAsync(string? kind, CancellationToken cancellationToken)
    {
        await ReadyAsync(cancellationToken);
        var last = "";
        while (await _reader!.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal)) last = line["event: ".Length..];
            if (line.StartsWith("data: ", StringComparison.Ordinal) && (kind is null || kind == last)) return JsonDocument.Parse(line["data: ".Length..]).RootElement;
        }
        throw new InvalidOperationException("the hub ended the watch");
    }

    public void Dispose()
    {
        _reader?.Dispose();
        if (_response.IsCompletedSuccessfully) _response.Result.Dispose();
    }
}
