using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Protocol;
using Mooring.Mqtt;

namespace Mooring.Fleet.Cars;

/// <summary>
/// One car: its session with the gateway, its devices and its commands. Everything that happens to it goes through one
/// bounded mailbox and is handled one after the other, on whatever thread of the pool is free.
/// </summary>
internal sealed partial class Car : IThreadPoolWorkItem
{
    private enum Phase
    {
        Idle,
        FirstStatuses,
        FirstCommands,
        Normal,
    }

    private readonly Lock _lock = new();
    private readonly Queue<CarEvent> _mailbox = [];
    private readonly CarSettings _settings;
    private readonly IMqttClient _mqtt;
    private readonly TimeProvider _time;
    private readonly long _createdAt;
    private readonly ILogger _logger;
    private readonly string _serverTopic;
    private readonly Dictionary<int, ModuleSlot> _slots;
    private readonly Queue<SessionRecord> _history = [];
    private bool _pumping;
    private bool _tickQueued;
    private bool _linkUp;
    private Phase _phase;
    private volatile CarState _state;
    private long _nextDueTicks = long.MaxValue;
    private double _allowance;
    private TimeSpan _allowanceAt;

    internal Car(CarSettings settings, IReadOnlyList<ModuleSlot> slots, IMqttClient mqtt, TimeProvider time, ILogger logger)
    {
        _settings = settings;
        _mqtt = mqtt;
        _time = time;
        _createdAt = time.GetTimestamp();
        _logger = logger;
        _serverTopic = settings.ServerTopic;
        _window = new StatusWindow(settings.StatusWindow);
        _slots = slots.ToDictionary(s => s.Number);
        _allowance = settings.MessagesPerSecondMax;
        foreach (var slot in slots) slot.CommandReady = command => Post(new CarEvent(CarEventKind.Commands, Slot: slot, Command: command));
    }

    internal CarSettings Settings => _settings;

    internal CarCounters Counters { get; } = new();

    internal CarState State => _state;

    internal string SessionId { get; private set; } = "";

    internal string LastError { get; private set; } = "";

    internal DateTimeOffset? LastErrorAt { get; private set; }

    internal DateTimeOffset? LastMessageAt { get; private set; }

    internal IReadOnlyCollection<ModuleSlot> Slots => _slots.Values;

    internal IReadOnlyList<Device> Devices
    {
        get { lock (_lock) return [.. _connected.Values]; }
    }

    internal IReadOnlyList<SessionRecord> History
    {
        get { lock (_lock) return [.. _history]; }
    }

    private TimeSpan Now => _time.GetElapsedTime(_createdAt);

    /// <summary>Takes the payload of one message from the car's gateway; parses it once, refuses what no gateway sends.</summary>
    internal void Receive(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > _settings.MessageBytesMax || !TakeAllowance())
        {
            Interlocked.Increment(ref Counters.MessagesRefused);
            LogRefused(_logger, _settings.Name, payload.Length);
            return;
        }
        ExternalClient message;
        try
        {
            message = ExternalClient.Parser.ParseFrom(payload);
        }
        catch (InvalidProtocolBufferException e)
        {
            Interlocked.Increment(ref Counters.MessagesRefused);
            LogUnparsable(_logger, _settings.Name, payload.Length, e.Message);
            return;
        }
        Post(new CarEvent(CarEventKind.Message, message));
    }

    internal void Post(CarEvent carEvent)
    {
        lock (_lock)
        {
            // Link changes, ticks and stop are few by construction; what peers send is bounded here.
            var fromPeer = carEvent.Kind is CarEventKind.Message or CarEventKind.Commands;
            if (fromPeer && _mailbox.Count >= _settings.MailboxMax)
            {
                Interlocked.Increment(ref Counters.MessagesDropped);
                return;
            }
            if (carEvent.Kind == CarEventKind.Tick)
            {
                if (_tickQueued) return;
                _tickQueued = true;
            }
            _mailbox.Enqueue(carEvent);
            if (_pumping) return;
            _pumping = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Called by the tick that all cars share; costs a comparison while nothing is due.</summary>
    internal void TickIfDue()
    {
        if (Now.Ticks >= Interlocked.Read(ref _nextDueTicks)) Post(new CarEvent(CarEventKind.Tick));
    }

    internal Task StopAsync(string reason)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(new CarEvent(CarEventKind.Stop, Done: done, Reason: reason));
        return done.Task;
    }

    void IThreadPoolWorkItem.Execute() => _ = PumpAsync();

    private async Task PumpAsync()
    {
        while (true)
        {
            CarEvent next;
            lock (_lock)
            {
                if (!_mailbox.TryDequeue(out next))
                {
                    _pumping = false;
                    return;
                }
                if (next.Kind == CarEventKind.Tick) _tickQueued = false;
            }
            try
            {
                await HandleAsync(next);
            }
            catch (Exception e)
            {
                LogFault(_logger, _settings.Name, e);
                await EndSessionAsync(e.Message, sendNote: true);
            }
            Interlocked.Exchange(ref _nextDueTicks, NextDue().Ticks);
            next.Done?.TrySetResult();
        }
    }

    private ValueTask HandleAsync(in CarEvent next)
    {
        if (_state == CarState.Stopped) return ValueTask.CompletedTask;
        switch (next.Kind)
        {
            case CarEventKind.Message:
                LastMessageAt = _time.GetUtcNow();
                return HandleMessageAsync(next.Message!);
            case CarEventKind.Commands:
                return HandleCommandAsync(next.Slot, next.Command!);
            case CarEventKind.LinkUp:
                _linkUp = true;
                return ListenAsync();
            case CarEventKind.LinkDown:
                _linkUp = false;
                return _state == CarState.Error ? ValueTask.CompletedTask : EndSessionAsync(next.Reason, sendNote: false);
            case CarEventKind.Tick:
                return TickAsync();
            default:
                return StopNowAsync(next.Reason);
        }
    }

    private ValueTask HandleMessageAsync(ExternalClient message) => message.MessageTypeCase switch
    {
        ExternalClient.MessageTypeOneofCase.Connect => HandleConnectAsync(message.Connect),
        ExternalClient.MessageTypeOneofCase.Status => HandleStatusAsync(message.Status),
        ExternalClient.MessageTypeOneofCase.CommandResponse => HandleResponseAsync(message.CommandResponse),
        _ => IgnoreEmptyAsync(),
    };

    private ValueTask IgnoreEmptyAsync()
    {
        LogEmpty(_logger, _settings.Name);
        return ValueTask.CompletedTask;
    }

    private async ValueTask StopNowAsync(string reason)
    {
        await EndSessionAsync(reason, sendNote: true, CarState.Stopped);
        foreach (var slot in _slots.Values) await slot.StopAsync();
    }

    private ValueTask ListenAsync()
    {
        if (_state is CarState.Error) Move(CarState.Uninitialized);
        if (_state is CarState.Uninitialized) Move(CarState.Connected);
        return ValueTask.CompletedTask;
    }

    private void Move(CarState to)
    {
        if (!CarMoves.IsLegal(_state, to)) return;
        if (_state != to) LogMoved(_logger, _settings.Name, _state, to);
        _state = to;
    }

    private bool TakeAllowance()
    {
        lock (_lock)
        {
            var now = Now;
            var rate = _settings.MessagesPerSecondMax;
            _allowance = Math.Min(rate, _allowance + ((now - _allowanceAt).TotalSeconds * rate));
            _allowanceAt = now;
            if (_allowance < 1) return false;
            _allowance--;
            return true;
        }
    }

    private async ValueTask PublishAsync(ExternalServer message)
    {
        var size = message.CalculateSize();
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(size);
        try
        {
            message.WriteTo(buffer.AsSpan(0, size));
            await _mqtt.EnqueueAsync(new MqttMessage
            {
                Topic = _serverTopic,
                Payload = buffer.AsMemory(0, size),
                QualityOfService = QualityOfService.AtLeastOnce,
            });
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>One session that ended, for the operator's history.</summary>
internal sealed record SessionRecord(string SessionId, DateTimeOffset Since, DateTimeOffset Until, string Reason);
