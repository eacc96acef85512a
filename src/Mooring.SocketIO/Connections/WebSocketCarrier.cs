using System.Buffers;
using System.Net.WebSockets;
using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Connections;

/// <summary>Carries packets over one WebSocket: one loop that sends what is in an outbox, one that reads.</summary>
internal sealed class WebSocketCarrier : ICarrier
{
    private const int FirstBufferBytes = 2048;

    private readonly BatchingStream _stream;
    private readonly WebSocket _socket;
    private readonly int _payloadBytesMax;

    public WebSocketCarrier(Stream stream, bool isServer, int payloadBytesMax)
    {
        _stream = new BatchingStream(stream);
        _payloadBytesMax = payloadBytesMax;
        // The heartbeat is Engine.IO's; a second one below it would only cost.
        _socket = WebSocket.CreateFromStream(_stream, new WebSocketCreationOptions { IsServer = isServer, KeepAliveInterval = TimeSpan.Zero });
    }

    /// <summary>Grows whenever the peer sends or takes something.</summary>
    public long Progress => _stream.Progress;

    /// <summary>Sends until the outbox is closed and empty, then says goodbye.</summary>
    public async Task SendAsync(Outbox outbox, CancellationToken cancellationToken)
    {
        while (await outbox.ReadyAsync())
        {
            if (outbox.Take() is not { } batch) continue;
            _stream.Hold();
            for (var i = 0; i < batch.Count; i++)
                await _socket.SendAsync(
                    batch[i], batch.IsBinary(i) ? WebSocketMessageType.Binary : WebSocketMessageType.Text, true, cancellationToken);
            await _stream.ReleaseAsync(cancellationToken);
            outbox.Return(batch);
        }
        if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
    }

    /// <summary>Sends one packet past any outbox: during an upgrade, when no outbox is ours yet.</summary>
    public ValueTask SendAsync(ReadOnlyMemory<byte> packet, CancellationToken cancellationToken) =>
        _socket.SendAsync(packet, WebSocketMessageType.Text, true, cancellationToken);

    /// <summary>Reads until the peer closes.</summary>
    public async Task ReceiveAsync(IFrameSink sink, CancellationToken cancellationToken)
    {
        while (await ReceiveOneAsync(cancellationToken) is { } message)
        {
            var handled = message.IsBinary ? sink.BinaryAsync(message.Frame) : sink.TextAsync(message.Frame);
            if (!handled.IsCompletedSuccessfully) await handled;
        }
    }

    /// <summary>Reads one message; null when the peer closes.</summary>
    public async ValueTask<(PooledFrame Frame, bool IsBinary)?> ReceiveOneAsync(CancellationToken cancellationToken)
    {
        // An empty buffer waits for the beginning of a message without holding memory meanwhile.
        var result = await _socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
        var array = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        var length = 0;
        try
        {
            while (!result.EndOfMessage && result.MessageType != WebSocketMessageType.Close)
            {
                if (length == array.Length) array = Grow(array, length);
                result = await _socket.ReceiveAsync(array.AsMemory(length), cancellationToken);
                length += result.Count;
                if (length > _payloadBytesMax) throw await OverLimitAsync();
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(array);
            throw;
        }
        if (result.MessageType != WebSocketMessageType.Close)
            return (new PooledFrame(array, length), result.MessageType == WebSocketMessageType.Binary);
        ArrayPool<byte>.Shared.Return(array);
        return null;
    }

    public void Abort() => _socket.Abort();

    public void Dispose() => _socket.Dispose();

    private byte[] Grow(byte[] array, int length)
    {
        // One byte more than allowed, so that going over shows.
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(array.Length * 2L, Math.Max(_payloadBytesMax + 1L, length + 1L)));
        array.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(array);
        return larger;
    }

    private async ValueTask<Exception> OverLimitAsync()
    {
        try
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.MessageTooBig, null, CancellationToken.None);
        }
        catch (Exception e) when (e is WebSocketException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The peer is already gone; the reason stays the same.
        }
        return new SocketIOProtocolException(SocketIOProtocolError.OverLimit, $"a message of more than {_payloadBytesMax} bytes");
    }
}
