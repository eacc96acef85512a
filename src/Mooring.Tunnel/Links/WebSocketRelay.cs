using System.Buffers;
using System.Security.Cryptography;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Tunnel.Links;

/// <summary>
/// Joins a WebSocket outside the tunnel (the visitor's at the server, the application's at the client) with a stream of mode ws: its frames
/// become StreamData and the other way round. Pings are answered here.
/// </summary>
internal sealed class WebSocketRelay : IOutletOwner
{
    private const int BufferBytes = 16 * 1024;

    private readonly FrameLink _frames;
    private readonly long _streamId;
    private readonly SendCredit? _credit;
    private readonly bool _isClientOfPeer;
    private readonly StreamOutlet _toPeer;
    private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CreditLedger _ledger;
    private Stream _peer = Stream.Null;
    private readonly PooledBytes _whole = new(0);
    private readonly Lock _closeGate = new();
    private ITimer? _closing;
    private bool _isOver;
    private volatile bool _isClosedByOther;
    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private bool _isInMessage;
    private bool _isOutInMessage;
    private DataKind _outKind;

    public WebSocketRelay(FrameLink frames, long streamId, SendCredit? credit, int window, bool isClientOfPeer)
    {
        (_frames, _streamId, _credit, _isClientOfPeer) = (frames, streamId, credit, isClientOfPeer);
        _ledger = new CreditLedger(frames, streamId, window);
        _toPeer = new StreamOutlet(this, frames.Waiting);
    }

    /// <summary>Payload bytes, for the books: from the peer, and to it.</summary>
    public Action<int, int>? Counted { get; init; }

    /// <summary>Ends the peer's connection at once.</summary>
    public required Action Cut { get; init; }

    /// <summary>Bytes that wait for the peer.</summary>
    public int Waiting => _toPeer.Waiting;

    /// <summary>A StreamData of the other end; false when the peer reads too slowly.</summary>
    public bool OnData(in FrameView frame)
    {
        var isFinal = frame.Framing != DataFraming.More;
        var opcode = _isInMessage ? WebSocketOpcode.Continuation : frame.DataKind == DataKind.Text ? WebSocketOpcode.Text : WebSocketOpcode.Binary;
        _isInMessage = !isFinal;
        return Append(opcode, frame.Bytes, isFinal);
    }

    /// <summary>The other end closed; the peer is told, after what came before.</summary>
    public void OnClose(int code, string reason)
    {
        Span<byte> payload = stackalloc byte[WebSocketFraming.ControlPayloadMax];
        var length = code is 0 or 1005 or 1006 or < 1000 or > 4999 ? 0 : WebSocketFraming.WriteClosePayload(payload, code, reason);
        Append(WebSocketOpcode.Close, payload[..length], isFinal: true);
        _toPeer.Complete();
        _isClosedByOther = true;
        _toPeer.Kick();
        var link = _frames.Link;
        lock (_closeGate)
        {
            if (!_isOver) _closing ??= link.Time.CreateTimer(static relay => ((WebSocketRelay)relay!).OnCloseTimeout(), this, link.Limits.PeerCloseTimeout, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The link's reading loop has given all it had.</summary>
    public void Kick() => _toPeer.Kick();

    void IOutletOwner.OnWritten(int payloadBytes)
    {
        Counted?.Invoke(0, payloadBytes);
        _ledger.Consumed(payloadBytes);
    }

    void IOutletOwner.OnDrained() => _written.TrySetResult();

    // Who reads from the peer sees it too, and ends the stream.
    void IOutletOwner.OnOutletBroken() => _written.TrySetResult();

    /// <summary>Relays until one side closes. Returns the peer's close, or null when the other end closed first or the peer vanished.</summary>
    /// <param name="peer">The peer, upgraded.</param>
    /// <param name="leftover">Bytes of the peer that were read already.</param>
    public async Task<LinkEnding?> RunAsync(Stream peer, ReadOnlyMemory<byte> leftover)
    {
        _peer = peer;
        _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(BufferBytes, leftover.Length));
        leftover.CopyTo(_buffer);
        _end = leftover.Length;
        _toPeer.Open(peer);
        try
        {
            var ending = await PumpFromPeerAsync();
            if (ending is not { } closed) return null;
            OnClose(closed.Code, "");
            await _written.Task;
            return ending;
        }
        finally
        {
            lock (_closeGate) _isOver = true;
            _closing?.Dispose();
            _toPeer.Abandon();
            ArrayPool<byte>.Shared.Return(_buffer);
            _whole.Dispose();
        }
    }

    // The peer ignores the close frame, or reads so slowly that it never sees it.
    private void OnCloseTimeout()
    {
        lock (_closeGate)
        {
            // Afterwards its connection may be another's.
            if (!_isOver) Cut();
        }
        _written.TrySetResult();
    }

    private bool Append(WebSocketOpcode opcode, ReadOnlySpan<byte> payload, bool isFinal)
    {
        Span<byte> header = stackalloc byte[WebSocketFraming.HeaderBytesMax];
        if (!_isClientOfPeer) return _toPeer.TryAppend(payload, header[..WebSocketFraming.WriteHeader(header, opcode, payload.Length, null, isFinal)]);
        var key = (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
        var length = WebSocketFraming.WriteHeader(header, opcode, payload.Length, key, isFinal);
        var masked = ArrayPool<byte>.Shared.Rent(payload.Length);
        payload.CopyTo(masked);
        WebSocketFraming.Mask(masked.AsSpan(0, payload.Length), key);
        var fits = _toPeer.TryAppend(masked.AsSpan(0, payload.Length), header[..length]);
        ArrayPool<byte>.Shared.Return(masked);
        return fits;
    }

    private async Task<LinkEnding?> PumpFromPeerAsync()
    {
        try
        {
            while (true)
            {
                WebSocketFrameHeader header;
                while (!WebSocketFraming.TryReadHeader(_buffer.AsSpan(_start, _end - _start), out header))
                {
                    if (!await FillAsync()) return null;
                }
                if (header.MaskKey is null != _isClientOfPeer) throw new TunnelProtocolException(TunnelProtocolError.WebSocket, "wrong mask");
                _start += header.Length;
                if (header.IsControl)
                {
                    while (_end - _start < header.PayloadLength)
                    {
                        if (!await FillAsync()) return null;
                    }
                    if (OnControl(header) is { } ending) return ending;
                }
                else if (!await ForwardAsync(header))
                {
                    return null;
                }
            }
        }
        catch (TunnelProtocolException exception)
        {
            return LinkEnding.Broken(exception);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return null;
        }
    }

    private LinkEnding? OnControl(WebSocketFrameHeader header)
    {
        var payload = _buffer.AsSpan(_start, (int)header.PayloadLength);
        _start += payload.Length;
        if (header.MaskKey is { } key) WebSocketFraming.Mask(payload, key);
        if (header.Opcode == WebSocketOpcode.Ping)
        {
            Append(WebSocketOpcode.Pong, payload, isFinal: true);
            _toPeer.Kick();
        }
        if (header.Opcode != WebSocketOpcode.Close) return null;
        var (code, reason) = WebSocketFraming.ReadClosePayload(payload);
        return new LinkEnding(code, reason, IsByPeer: true);
    }

    private async ValueTask<bool> ForwardAsync(WebSocketFrameHeader header)
    {
        if (header.Opcode == WebSocketOpcode.Continuation != _isOutInMessage)
            throw new TunnelProtocolException(TunnelProtocolError.WebSocket, "a message begins inside another, or goes on without a beginning");
        if (!_isOutInMessage) _outKind = header.Opcode == WebSocketOpcode.Text ? DataKind.Text : DataKind.Binary;
        _isOutInMessage = !header.IsFinal;
        long offset = 0;
        do
        {
            if (_start == _end && header.PayloadLength > 0 && !await FillAsync()) return false;
            var part = _buffer.AsMemory(_start, (int)Math.Min(_end - _start, header.PayloadLength - offset));
            _start += part.Length;
            if (header.MaskKey is { } key) WebSocketFraming.Mask(part.Span, key, offset);
            offset += part.Length;
            var isLast = header.IsFinal && offset == header.PayloadLength;
            Counted?.Invoke(part.Length, 0);
            if (!await SendAsync(part, isLast)) return false;
            if (_start == _end || isLast) _frames.Link.Flush();
        }
        while (offset < header.PayloadLength);
        return true;
    }

    private ValueTask<bool> SendAsync(ReadOnlyMemory<byte> part, bool isLast)
    {
        // What the peer says before it answers the close frame has nobody to hear it: the stream's id is over.
        if (_isClosedByOther) return new ValueTask<bool>(true);
        if (_frames.Version >= ProtocolVersion.Two)
            return _frames.SendAsync(_streamId, _credit, part, _outKind, isLast ? DataFraming.Last : DataFraming.More);
        // Version 1 knows whole messages only.
        if (_whole.Length + part.Length > WireLimits.MessageBytesMax - WireLimits.ChunkBytes)
            throw new TunnelProtocolException(TunnelProtocolError.TooLarge, "a message too long for version 1");
        _whole.Append(part.Span);
        if (isLast)
        {
            _frames.EnqueueData(_streamId, _whole.Span, kind: _outKind);
            _whole.Clear();
        }
        return new ValueTask<bool>(true);
    }

    private async ValueTask<bool> FillAsync()
    {
        var held = _end - _start;
        _buffer.AsSpan(_start, held).CopyTo(_buffer);
        (_start, _end) = (0, held);
        var count = await _peer.ReadAsync(_buffer.AsMemory(_end));
        _end += count;
        return count > 0;
    }
}
