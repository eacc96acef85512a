using System.Buffers;
using Mooring.Mqtt.Client.Connections;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>
/// What outlives connections: messages to be sent, identifiers in use, QoS 2 identifiers received, subscriptions. Connections attach
/// to it, one after another; everything in it is touched under one lock, which is never held while foreign code runs.
/// </summary>
internal sealed partial class ClientSession
{
    /// <summary>Bytes collected for one write: enough that system calls do not count, few enough to stay in the cache.</summary>
    private const int BatchBytes = 64 * 1024;

    private readonly MqttClientOptions _options;
    private readonly ClientLog _log;
    private readonly Lock _gate = new();
    private readonly SendQueue _queue;
    private readonly InFlightPackets _inFlight = new();
    private readonly Queue<ushort> _resend = new();
    private ClientConnection? _connection;
    private int _quota;
    private int _quotaMaximum;
    private int _exactlyOnceQuota;
    private int _exactlyOnceQuotaMaximum;
    private Exception? _stopped;
    private TaskCompletionSource? _drained;

    internal ClientSession(MqttClientOptions options, ClientLog log)
    {
        (_options, _log) = (options, log);
        _queue = new SendQueue(options.Limits.QueuedMessages, options.Limits.QueuedBytes);
        Idle = new IdlePublishes(this);
    }

    internal MqttClientOptions Options => _options;

    internal IdlePublishes Idle { get; }

    /// <summary>
    /// Gives the session a connection whose CONNACK has been read, decides what of the old state is sent again, and queues the
    /// subscriptions that the broker lacks.
    /// </summary>
    internal void Attach(ClientConnection connection, bool sessionPresent)
    {
        lock (_gate)
        {
            _quotaMaximum = Math.Min(_options.Limits.InFlightMessages, connection.Server.ReceiveMaximum);
            _quota = _quotaMaximum;
            _exactlyOnceQuotaMaximum = _options.Version == MqttVersion.V500 ? _quotaMaximum : _options.Limits.InFlightExactlyOnce;
            _exactlyOnceQuota = _exactlyOnceQuotaMaximum;
            _connection = connection;
            if (sessionPresent) Resume();
            else StartOver();
            QueueFilters(sessionPresent);
            connection.Wake();
        }
    }

    /// <summary>The connection has ended; what it left unfinished waits for the next one.</summary>
    internal void Detach(ClientConnection connection)
    {
        lock (_gate)
        {
            if (_connection != connection) return;
            _connection = null;
            _resend.Clear();
            FailLeavingFilters();
        }
    }

    /// <summary>Ends everything that anyone waits for.</summary>
    internal void Stop(Exception reason)
    {
        lock (_gate)
        {
            _stopped ??= reason;
            while (_queue.TryTakeAny(out var pending)) Finish(pending, reason);
            foreach (var (id, stage, item) in _inFlight.InOrder())
            {
                _inFlight.Remove(id);
                if (item is PendingPublish pending) Finish(pending, reason);
            }
            FailFilters(reason);
            _drained?.TrySetResult();
        }
    }

    /// <summary>Ends when nothing waits to be sent or acknowledged.</summary>
    internal Task WhenDrained()
    {
        lock (_gate)
        {
            if (_stopped is not null || IsDrained) return Task.CompletedTask;
            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _drained.Task;
        }
    }

    /// <summary>
    /// Collects what the connection may send now: acknowledgements first, then what is sent again, SUBSCRIBE and UNSUBSCRIBE, and
    /// messages in order. False when there is nothing; the next <see cref="ClientConnection.Wake"/> tells the sender.
    /// </summary>
    internal bool TryFill(ClientConnection connection, OutputBuffer output)
    {
        lock (_gate)
        {
            connection.TakeControl(output);
            if (connection == _connection && !connection.IsClosing)
            {
                WriteResent(output);
                WriteFilters(output);
                while (output.Length < BatchBytes && _queue.TryTake(HighestNow, out var pending)) Write(pending, output);
                SignalIfDrained();
            }
            if (output.Length > 0) return true;
            connection.SenderIsIdle = true;
            return false;
        }
    }

    internal void Ping(ClientConnection connection)
    {
        lock (_gate)
        {
            if (connection.IsClosing) return;
            connection.ControlPackets.Write(MqttPackets.PingReq);
            connection.Wake();
        }
    }

    /// <summary>Writes DISCONNECT; nothing is sent after it (MQTT-3.14.4-2).</summary>
    internal void Close(ClientConnection connection, MqttReasonCode reason)
    {
        lock (_gate)
        {
            if (connection.IsClosing) return;
            MqttPackets.WriteReason(connection.ControlPackets, MqttPacketType.Disconnect, _options.Version, reason);
            connection.IsClosing = true;
            connection.Wake();
        }
    }

    /// <summary>Nothing of the connection runs any more.</summary>
    internal void Release(ClientConnection connection)
    {
        lock (_gate)
        {
            connection.IsClosing = true;
            connection.ControlPackets.Dispose();
        }
    }

    /// <summary>The highest QoS that the window is open for.</summary>
    private QualityOfService HighestNow => _quota <= 0 || !_inFlight.HasRoom
        ? QualityOfService.AtMostOnce
        : _exactlyOnceQuota > 0 ? QualityOfService.ExactlyOnce : QualityOfService.AtLeastOnce;

    private bool IsDrained => _queue.IsEmpty && _inFlight.Count == 0 && _operations.Count == 0;

    private void SignalIfDrained()
    {
        if (_drained is null || !IsDrained) return;
        _drained.TrySetResult();
        _drained = null;
    }

    private void ThrowIfStopped()
    {
        if (_stopped is { } reason) throw Stopped(reason);
    }

    private static InvalidOperationException Stopped(Exception reason) => new($"the client is stopped: {reason.Message}", reason);

    private void Finish(PendingPublish pending, Exception? error)
    {
        if (error is null) pending.TryComplete();
        else if (!pending.TryFail(_stopped == error ? Stopped(error) : error)) _log.NotDelivered(pending.TopicText, error.Message);
        pending.LetGo();
    }
}
