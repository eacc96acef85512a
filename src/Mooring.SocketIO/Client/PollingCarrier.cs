using System.Net;
using System.Net.Http.Headers;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;

namespace Mooring.SocketIO.Client;

/// <summary>Polling: one request that waits for packets, and one at a time that takes some there.</summary>
internal sealed class PollingCarrier(
    HttpMessageInvoker http, Uri uri, IReadOnlyDictionary<string, string> headers, int payloadBytesMax, int serverPayloadBytesMax = int.MaxValue)
    : ICarrier
{
    private const int OpenBytesMax = 4096;

    private static readonly MediaTypeHeaderValue ContentType = new("text/plain", "utf-8");

    private readonly CancellationTokenSource _aborted = new();
    private long _progress;

    public long Progress => Interlocked.Read(ref _progress);

    public async Task SendAsync(Outbox outbox, CancellationToken cancellationToken)
    {
        while (await outbox.ReadyAsync())
        {
            if (outbox.Take() is not { } batch) continue;
            for (var at = 0; at < batch.Count;)
            {
                using var body = new ByteBuffer();
                at = PollingBody.Write(body, batch, at, serverPayloadBytesMax);
                await PostAsync(body.Memory, cancellationToken);
            }
            outbox.Return(batch);
        }
        await PostAsync("1"u8.ToArray(), cancellationToken);
    }

    public async Task ReceiveAsync(IFrameSink sink, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _aborted.Token);
        var isClosed = false;
        while (!isClosed)
        {
            using var request = NewRequest(HttpMethod.Get);
            // A request with a body, even an empty one, is not sent again behind our back when its connection breaks. Packets may have been
            // lost with that connection: the session must end with it.
            request.Content = new ReadOnlyMemoryContent(ReadOnlyMemory<byte>.Empty);
            using var response = await SendAsync(request, either.Token);
            await using var stream = await response.Content.ReadAsStreamAsync(either.Token);
            Interlocked.Increment(ref _progress);
            isClosed = await PollingBody.DeliverAsync(stream, sink, payloadBytesMax, either.Token);
        }
    }

    /// <summary>Opens a session: its first packet. The body is the caller's to dispose.</summary>
    public async Task<ByteBuffer> OpenAsync(CancellationToken cancellationToken)
    {
        using var request = NewRequest(HttpMethod.Get);
        using var response = await SendAsync(request, cancellationToken);
        var body = new ByteBuffer();
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        if (!await PollingBody.ReadAsync(stream, body, OpenBytesMax, cancellationToken))
            throw new SocketIOProtocolException(SocketIOProtocolError.OverLimit, $"an open packet of more than {OpenBytesMax} bytes");
        return body;
    }

    public void Abort() => _aborted.Cancel();

    public void Dispose() => _aborted.Dispose();

    private async Task PostAsync(ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _aborted.Token);
        using var request = NewRequest(HttpMethod.Post);
        request.Content = new ReadOnlyMemoryContent(body);
        request.Content.Headers.ContentType = ContentType;
        using var response = await SendAsync(request, either.Token);
        Interlocked.Increment(ref _progress);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await http.SendAsync(request, cancellationToken);
        if (response.StatusCode == HttpStatusCode.OK) return response;
        using (response) throw new IOException(await Dialler.RefusalAsync(response, cancellationToken));
    }

    private HttpRequestMessage NewRequest(HttpMethod method)
    {
        var request = new HttpRequestMessage(method, uri);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }
}
