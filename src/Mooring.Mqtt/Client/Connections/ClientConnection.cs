using System.IO.Pipelines;
using System.Net.Sockets;
using System.Net.WebSockets;
using Mooring.Kernel.Framing;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Client.Sessions;
using Mooring.Mqtt.Client.Transports;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Connections;

/// <summary>
/// One connection from CONNECT to its end, thrown away whole: handshake, then one loop that reads and one that writes, until the first
/// reason to stop.
/// </summary>
internal sealed partial class ClientConnection
{
    private const int ReadBufferBytes = 16 * 1024;

    private readonly ClientSession _session;
    private readonly MqttClientOptions _options;
    private readonly Inbox _inbox;
    private readonly ClientTransport _transport;
    private readonly TimeProvider _time;
    private readonly ClientLog _log;
    private readonly FrameReader<ReceivedFrame> _reader;
    private readonly PipeReader _input;
    private readonly InboundTopics _topics;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _aborted = new();
    private readonly TaskCompletionSource<(LinkEnd End, bool SaysGoodbye)> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _filtersAcknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private KeepAlive? _keepAlive;
    private byte[] _scratch = [];

    internal ClientConnection(
        ClientSession session, Inbox inbox, ClientTransport transport, TimeProvider time, ClientLog log)
    {
        _session = session;
        _options = session.Options;
        _inbox = inbox;
        _transport = transport;
        _time = time;
        _log = log;
        // Idle connections hold no buffer: bytes are waited for before memory is rented.
        _input = PipeReader.Create(transport.Stream, new StreamPipeReaderOptions(bufferSize: ReadBufferBytes, leaveOpen: true, useZeroByteReads: true));
        var packetBytesMax = _options.Limits.MaximumPacketBytes;
        _reader = new FrameReader<ReceivedFrame>(_input, new ReceivedFrameParser(packetBytesMax), packetBytesMax);
        _topics = new InboundTopics(_options.Limits.InboundTopicAliases);
    }

    internal ServerLimits Server { get; private set; } = new();

    /// <summary>Aliases set on this connection; null when none may be. Needs the session's lock.</summary>
    internal OutboundAliases? OutboundAliases { get; private set; }

    /// <summary>Acknowledgements, PINGREQ and DISCONNECT that wait to be sent. Needs the session's lock.</summary>
    internal OutputBuffer ControlPackets { get; } = new();

    /// <summary>DISCONNECT has been written: nothing may follow. Needs the session's lock.</summary>
    internal bool IsClosing { get; set; }

    /// <summary>The sender sleeps and must be woken. Needs the session's lock.</summary>
    internal bool SenderIsIdle { get; set; }

    /// <summary>QoS 1 messages received and not acknowledged on this connection. Needs the session's lock.</summary>
    internal int UnacknowledgedInbound { get; set; }

    /// <summary>Messages carry the identifiers of their subscriptions.</summary>
    internal bool CarriesIdentifiers => _options.Version == MqttVersion.V500 && Server.TakesIdentifiers;

    /// <summary>Serves the connection to its end.</summary>
    /// <param name="connack">What the handshake brought.</param>
    /// <param name="up">Called when all subscriptions are acknowledged.</param>
    /// <param name="stop">Ends the connection with DISCONNECT.</param>
    internal async Task<LinkEnd> RunAsync(ConnAck connack, Action up, CancellationToken stop)
    {
        Server = connack.Server;
        OutboundAliases = OutboundAliases.Create(_options.Limits.OutboundTopicAliases, Server.TopicAliasMaximum);
        StartKeepAlive();
        _session.Attach(this, connack.SessionPresent);
        var receiving = ReceiveAsync();
        var sending = SendAsync();
        using (stop.UnsafeRegister(static state => ((ClientConnection)state!).End(LinkEnd.Retry(Reconnector.StoppedByRequest), saysGoodbye: true), this))
        {
            if (await AreFiltersAcknowledgedAsync().ConfigureAwait(false)) up();
            await _ended.Task.ConfigureAwait(false);
        }
        var (end, saysGoodbye) = await _ended.Task.ConfigureAwait(false);
        _session.Detach(this);
        _keepAlive?.Dispose();
        if (saysGoodbye) await SayGoodbyeAsync(receiving, sending).ConfigureAwait(false);
        await TearDownAsync(receiving, sending).ConfigureAwait(false);
        return end;
    }

    /// <summary>Tells the sender that there is something to send. Needs the session's lock.</summary>
    internal void Wake()
    {
        if (!SenderIsIdle) return;
        SenderIsIdle = false;
        _wake.Release();
    }

    /// <summary>Hands the control packets to the sender. Needs the session's lock.</summary>
    internal void TakeControl(OutputBuffer output)
    {
        if (ControlPackets.Length == 0) return;
        ControlPackets.Written.Span.CopyTo(output.GetSpan(ControlPackets.Length));
        output.Advance(ControlPackets.Length);
        ControlPackets.Clear();
    }

    internal void FiltersAcknowledged() => _filtersAcknowledged.TrySetResult();

    /// <summary>Reading goes on after a pause that was ours, not the peer's.</summary>
    internal void ReadingGoesOn() => _keepAlive?.Received();

    /// <summary>The first reason counts. A DISCONNECT is tried only where the broker may still hear it.</summary>
    private void End(LinkEnd end, bool saysGoodbye = false) => _ended.TrySetResult((end, saysGoodbye));

    private void StartKeepAlive()
    {
        var interval = Server.KeepAlive ?? _options.KeepAlive;
        if (interval == TimeSpan.Zero) return;
        _keepAlive = new KeepAlive(
            _time, interval, _options.PingTimeout,
            () => _session.Ping(this),
            reason => End(LinkEnd.Retry(reason)));
    }

    private async Task<bool> AreFiltersAcknowledgedAsync()
    {
        using var deadline = new CancellationTokenSource(_options.Limits.ConnectTimeout, _time);
        using var _ = deadline.Token.UnsafeRegister(
            static state => ((ClientConnection)state!).End(LinkEnd.Retry("no SUBACK in time")), this);
        await Task.WhenAny(_filtersAcknowledged.Task, _ended.Task).ConfigureAwait(false);
        return !_ended.Task.IsCompleted;
    }

    /// <summary>Says DISCONNECT and waits a moment for the broker's close, since closing first could discard what it has not read.</summary>
    private async Task SayGoodbyeAsync(Task receiving, Task sending)
    {
        using var deadline = new CancellationTokenSource(_options.Limits.CloseTimeout, _time);
        _session.Close(this, MqttReasonCode.Success);
        try
        {
            await sending.WaitAsync(deadline.Token).ConfigureAwait(false);
            await _transport.CloseOutputAsync(deadline.Token).ConfigureAwait(false);
            await receiving.WaitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException
            or InvalidOperationException or WebSocketException)
        {
            // The connection is past saving.
        }
    }

    /// <summary>Leaves no task and no buffer behind.</summary>
    private async Task TearDownAsync(Task receiving, Task sending)
    {
        await _aborted.CancelAsync().ConfigureAwait(false);
        await _transport.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(receiving, sending).ConfigureAwait(false);
        await _input.CompleteAsync().ConfigureAwait(false);
        _session.Release(this);
        _aborted.Dispose();
    }
}
