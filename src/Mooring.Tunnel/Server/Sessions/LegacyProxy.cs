using System.Buffers;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationA;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>A proxy connection of generation A: bound to a tunnel once, then one request after another, or the bytes of one TCP connection.</summary>
internal sealed class LegacyProxy(SessionRegistry registry, WebSocketLink link, TimeProvider time) : ILinkReceiver
{
    private LegacySession? _session;
    private TaskCompletionSource<ReadOnlyMemory<byte>>? _answer;
    private IRawReceiver? _raw;
    private long _idleSince = time.GetTimestamp();

    /// <summary>The tunnel that it was bound to.</summary>
    public TunnelBinding? Binding { get; private set; }

    public bool IsEnded => link.Ended.IsCancellationRequested;

    public TimeSpan IdleTime => time.GetElapsedTime(Volatile.Read(ref _idleSince));

    public WebSocketLink Link => link;

    /// <summary>Serves the connection to its end.</summary>
    public async Task RunAsync(TimeSpan handshakeTimeout)
    {
        await using var deadline = time.CreateTimer(
            _ =>
            {
                if (_session is null) link.Abort("no RegProxy in time");
            }, null, handshakeTimeout, Timeout.InfiniteTimeSpan);
        await link.RunAsync(this);
        _session?.Forget(this);
        Interlocked.Exchange(ref _answer, null)?.TrySetException(new IOException("the client closed its proxy connection"));
        _raw?.OnEnded();
    }

    /// <summary>Binds it to a tunnel.</summary>
    public void Start(TunnelBinding binding, string visitor, string requestId)
    {
        Binding = binding;
        Send(new ControlMessage.StartProxy(binding.Url, visitor, requestId));
    }

    /// <summary>From now on messages are raw bytes.</summary>
    public void BecomeRaw(IRawReceiver receiver) => _raw = receiver;

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="IOException">The connection ended.</exception>
    public async Task<ReadOnlyMemory<byte>> AskAsync(byte[] request, TimeSpan limit)
    {
        var answer = new TaskCompletionSource<ReadOnlyMemory<byte>>(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _answer, answer);
        if (IsEnded) throw new IOException("the client closed its proxy connection");
        Send(new ControlMessage.Proxy(request));
        return await answer.Task.WaitAsync(limit, time);
    }

    /// <summary>Back to the session, for the next request.</summary>
    public void Return()
    {
        Volatile.Write(ref _idleSince, time.GetTimestamp());
        _session!.Give(this, isNew: false);
    }

    public void Close(string reason) => _ = link.CloseAsync(CloseCodes.Normal, reason);

    void ILinkReceiver.OnMessage(ReadOnlySpan<byte> message)
    {
        if (_raw is { } raw)
        {
            raw.OnBytes(message);
            return;
        }
        switch (ControlCodec.Read(message))
        {
            case ControlMessage.RegProxy { ClientId: { } clientId } when _session is null:
                _session = registry.Find(clientId) as LegacySession
                    ?? throw new TunnelProtocolException(TunnelProtocolError.OutOfRange, "no such client");
                _session.Give(this, isNew: true);
                break;
            case ControlMessage.Proxy { Content: var content } when _session is not null:
                Interlocked.Exchange(ref _answer, null)?.TrySetResult(content);
                break;
        }
    }

    ValueTask ILinkReceiver.OnBatchEndAsync()
    {
        _raw?.OnBatchEnd();
        return ValueTask.CompletedTask;
    }

    private void Send(ControlMessage message)
    {
        var output = new ArrayBufferWriter<byte>(256);
        ControlCodec.Write(output, message);
        link.Send(output.WrittenSpan);
    }

    /// <summary>Takes the raw bytes of a TCP tunnel.</summary>
    internal interface IRawReceiver
    {
        void OnBytes(ReadOnlySpan<byte> bytes);

        void OnBatchEnd();

        void OnEnded();
    }
}
