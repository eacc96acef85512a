using System.Buffers;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Protocol;
using Mooring.Kernel.Events;
using Mooring.Kernel.Tracing;
using Mooring.Mqtt;

namespace Mooring.Fleet.Cars;

/// <summary>
/// One car: its session with the gateway, its devices and its commands. Everything that happens to it goes through one
/// bounded mailbox and is handled one after the other, on whatever thread of the pool is free.
/// </summary>
internal sealed partial class Car : IThreadPoolWorkItem
{
    /// <summary>Events handled before the other cars get their turn on this thread.</summary>
    private const int EventsPerTurn = 64;

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
    private readonly Func<MqttMessage, ValueTask> _publish;
    private readonly TimeProvider _time;
    private readonly long _createdAt;
    private readonly ILogger _logger;
    private readonly string _serverTopic;
    private readonly Dictionary<int, ModuleSlot> _slots;
    private readonly Queue<SessionRecord> _history = [];
    private readonly MessageAllowance _allowance;
    private bool _pumping;
    private bool _tickQueued;
    private bool _linkUp;
    private bool _noteIsDue;
    private TraceContext? _trace;
    private Phase _phase;
    private volatile CarState _state;
    private long _nextDueTicks = long.MaxValue;

    /// <summary>Creates a car that waits for its link.</summary>
    /// <param name="settings">What it needs to know.</param>
    /// <param name="slots">Its modules.</param>
    /// <param name="publish">Takes a message for the broker; its payload is only lent until the task completes.</param>
    /// <param name="time">Clock of all deadlines.</param>
    /// <param name="logger">Its log.</param>
    internal Car(
        CarSettings settings, IReadOnlyList<ModuleSlot> slots, Func<MqttMessage, ValueTask> publish, TimeProvider time, ILogger logger)
    {
        _settings = settings;
        _publish = publish;
        _time = time;
        _createdAt = time.GetTimestamp();
        _logger = logger;
        _serverTopic = settings.ServerTopic;
        _window = new StatusWindow(settings.Limits.StatusWindow);
        _slots = slots.ToDictionary(s => s.Number);
        _allowance = new MessageAllowance(settings.Limits.MessagesPerSecond);
        foreach (var slot in slots) slot.CommandReady = command => Post(new CarEvent(CarEventKind.Command, Slot: slot, Command: command));
    }

    internal CarSettings Settings => _settings;

    /// <summary>Who is told when sessions begin and end.</summary>
    internal OperatorEvents? Events { get; init; }

    internal CarCounters Counters { get; } = new();

    internal CarState State => _state;

    internal string SessionId { get; private set; } = "";

    internal DateTimeOffset? SessionSince => _phase == Phase.Normal ? _sessionSince : null;

    internal CarFailure? LastFailure { get; private set; }

    internal DateTimeOffset? LastMessageAt { get; private set; }

    internal int OutstandingCommands => _outstanding.Count;

    internal IReadOnlyCollection<ModuleSlot> Slots => _slots.Values;

    internal IReadOnlyList<Device> Devices
    {
        get { lock (_lock) return [.. _connected.Values]; }
    }

    internal int DeviceCount
    {
        get { lock (_lock) return _connected.Count; }
    }

    internal IReadOnlyList<SessionRecord> History
    {
        get { lock (_lock) return [.. _history]; }
    }

    private TimeSpan Now => _time.GetElapsedTime(_createdAt);

    /// <summary>Takes the payload of one message from the car's gateway; parses it once, refuses what no gateway sends.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="trace">What its receipt belongs to.</param>
    internal void Receive(ReadOnlySpan<byte> payload, TraceContext? trace = null)
    {
        var isTooLarge = payload.Length > _settings.Limits.MessageBytes;
        if (isTooLarge || !_allowance.TryTake(Now))
        {
            Refuse(isTooLarge ? $"{payload.Length} bytes are more than {_settings.Limits.MessageBytes}" : "more messages a second than a car may send");
            return;
        }
        ExternalClient message;
        try
        {
            message = ExternalClient.Parser.ParseFrom(payload);
        }
        catch (InvalidProtocolBufferException e)
        {
            Refuse(e.Message);
            return;
        }
        Post(new CarEvent(CarEventKind.Message, message, Span: FleetTracing.BeginReceipt(message, _settings.Name, trace)));
    }

    internal void Post(in CarEvent carEvent)
    {
        // Link changes, ticks and stop are few by construction; what peers and modules send is bounded here.
        var isBounded = carEvent.Kind is CarEventKind.Message or CarEventKind.Command;
        lock (_lock)
        {
            if (!isBounded || _mailbox.Count < _settings.Limits.MailboxMessages)
            {
                if (carEvent.Kind == CarEventKind.Tick && carEvent.Done is null)
                {
                    if (_tickQueued) return;
                    _tickQueued = true;
                }
                _mailbox.Enqueue(carEvent);
                if (_pumping) return;
                _pumping = true;
                isBounded = false;
            }
        }
        if (isBounded) Drop(carEvent);
        else ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Why a command of an operator would be dropped at once; null when it will be sent or kept.</summary>
    internal string? RefuseCommandFor(Device device)
    {
        if (_settings.Offline != OfflinePolicy.Discard) return null;
        lock (_lock)
            return _connected.ContainsKey(DeviceKey.Of(device)) ? null : $"device {Describe(device)} is not connected to car '{_settings.Name}'";
    }

    /// <summary>Called by the tick that all cars share; costs a comparison while nothing is due.</summary>
    internal void TickIfDue()
    {
        if (Now.Ticks >= Interlocked.Read(ref _nextDueTicks)) Post(new CarEvent(CarEventKind.Tick));
    }

    /// <summary>Ends the session with a note, disconnects the devices, then destroys the modules.</summary>
    internal Task StopAsync(string reason)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(new CarEvent(CarEventKind.Stop, Done: done, Reason: reason));
        return done.Task;
    }

    void IThreadPoolWorkItem.Execute() => _ = PumpAsync();

    // Never throws: whatever fails inside ends the session and not the car.
    private async Task PumpAsync()
    {
        for (var handled = 0; handled < EventsPerTurn; handled++)
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
            _trace = next.Span.Context;
            try
            {
                await HandleAsync(next);
            }
            catch (Exception e)
            {
                next.Span.Fail(e.Message);
                await EndAfterFaultAsync(e);
            }
            next.Span.Dispose();
            Interlocked.Exchange(ref _nextDueTicks, NextDue().Ticks);
            next.Done?.TrySetResult();
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private async ValueTask EndAfterFaultAsync(Exception fault)
    {
        LogFault(_logger, _settings.Name, fault);
        try
        {
            await EndSessionAsync(fault.Message, sendNote: true);
        }
        catch (Exception e)
        {
            // The session's state is gone before anything in there can throw; only the note or a module failed.
            LogFault(_logger, _settings.Name, e);
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
            case CarEventKind.Command:
                return HandleCommandAsync(next.Slot, next.Command!);
            case CarEventKind.LinkUp:
                return HandleLinkUpAsync();
            case CarEventKind.LinkDown:
                return HandleLinkDownAsync(next.Reason);
            case CarEventKind.Tick:
                return TickAsync();
            default:
                return HandleStopAsync(next.Reason);
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

    private async ValueTask HandleLinkUpAsync()
    {
        _linkUp = true;
        Listen();
        if (!_noteIsDue) return;
        _noteIsDue = false;
        // The gateway may never have lost its own connection; without this it would wait 30 s for an answer.
        if (_phase == Phase.Idle) await SendNoteAsync();
    }

    private async ValueTask HandleLinkDownAsync(string reason)
    {
        _linkUp = false;
        if (_phase != Phase.Idle) _noteIsDue = true;
        await EndSessionAsync(reason, sendNote: false);
    }

    private async ValueTask HandleStopAsync(string reason)
    {
        try
        {
            await EndSessionAsync(reason, sendNote: true, CarState.Stopped);
        }
        finally
        {
            foreach (var slot in _slots.Values) await StopModuleAsync(slot);
        }
    }

    private async ValueTask StopModuleAsync(ModuleSlot slot)
    {
        try
        {
            await slot.StopAsync();
        }
        catch (Exception e)
        {
            LogFault(_logger, _settings.Name, e);
        }
    }

    private void Listen()
    {
        if (_state == CarState.Error) Move(CarState.Uninitialized);
        if (_linkUp && _state == CarState.Uninitialized) Move(CarState.Connected);
    }

    private void Move(CarState to)
    {
        if (!CarMoves.IsLegal(_state, to)) return;
        if (_state != to) LogMoved(_logger, _settings.Name, _state, to);
        _state = to;
    }

    private void Refuse(string why)
    {
        Interlocked.Increment(ref Counters.MessagesRefused);
        // A flood must not fill the log too: a line a second says it all.
        if (_allowance.MayLog(Now)) LogRefused(_logger, _settings.Name, why, Interlocked.Read(ref Counters.MessagesRefused));
    }

    private void Drop(in CarEvent dropped)
    {
        Interlocked.Increment(ref Counters.MessagesDropped);
        dropped.Span.Fail("the mailbox is full");
        dropped.Span.Dispose();
        if (dropped.Command is { } command) CountUndelivered(command);
        else if (_allowance.MayLog(Now)) LogMailboxFull(_logger, _settings.Name, Interlocked.Read(ref Counters.MessagesDropped));
    }

    private ValueTask PublishAsync(ExternalServer message) => PublishAsync(message, _trace);

    private async ValueTask PublishAsync(ExternalServer message, TraceContext? trace)
    {
        using var span = FleetTracing.BeginPublish(message, _settings.Name, trace);
        var size = message.CalculateSize();
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            message.WriteTo(buffer.AsSpan(0, size));
            await _publish(new MqttMessage
            {
                Topic = _serverTopic,
                Payload = buffer.AsMemory(0, size),
                QualityOfService = QualityOfService.AtLeastOnce,
                Trace = span.Context,
            });
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
