using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Protocol;
using Mooring.Kernel.Events;
using Mooring.Mqtt;

namespace Mooring.Fleet.Cars;

/// <summary>The connect sequence, and the end of a session.</summary>
internal sealed partial class Car
{
    private readonly OrderedDictionary<DeviceKey, Device> _listed = [];
    private readonly OrderedDictionary<DeviceKey, Device> _connected = [];
    private readonly List<WaitingStatus> _firstStatuses = [];
    private readonly HashSet<DeviceKey> _answered = [];
    private readonly Queue<WaitingStatus> _early = [];
    private int _firstResponsesMissing;
    private TimeSpan _phaseDeadline = TimeSpan.MaxValue;
    private TimeSpan _sessionDeadline = TimeSpan.MaxValue;
    private DateTimeOffset _sessionSince;

    private async ValueTask HandleConnectAsync(Connect connect)
    {
        if (_phase != Phase.Idle && connect.SessionId == SessionId)
        {
            // Inside the sequence a repetition is a QoS 1 duplicate: a second answer would make the gateway start over.
            if (_phase != Phase.Normal) return;
            await PublishAsync(new ExternalServer
            {
                ConnectResponse = new ConnectResponse { SessionId = SessionId, Type = ConnectResponse.Types.Type.AlreadyLogged },
            });
            return;
        }
        // The new sequence takes the place of the old session; a note now would end the new one.
        if (_phase != Phase.Idle) await EndSessionAsync("the car connected with another session", sendNote: false);
        // A message is proof of the link, whoever tells first.
        _linkUp = true;
        Listen();
        if (FaultOf(connect) is { } fault)
        {
            LogConnectRefused(_logger, _settings.Name, connect.SessionId, fault);
            await EndSessionAsync($"Connect was refused: {fault}", sendNote: false);
            return;
        }
        if (connect.Company != _settings.Company || connect.VehicleName != _settings.Name)
            LogOtherName(_logger, _settings.Name, connect.Company, connect.VehicleName);
        SessionId = connect.SessionId;
        _sessionSince = _time.GetUtcNow();
        EnterPhase(Phase.FirstStatuses);
        foreach (var device in connect.Devices)
        {
            if (!_listed.TryAdd(DeviceKey.Of(device), device)) continue;
            var isTaken = await TryConnectDeviceAsync(device);
            if (!isTaken && _settings.ReferenceAnswers) _listed.Remove(DeviceKey.Of(device));
        }
        await PublishAsync(new ExternalServer { ConnectResponse = new ConnectResponse { SessionId = SessionId } });
        if (_listed.Count == 0) await EndSessionAsync(NoDevice, sendNote: true);
    }

    private const string LastDeviceLeft = "no device is left";

    private const string NoDevice = "no device of the car was accepted";

    private string? FaultOf(Connect connect)
    {
        if (connect.SessionId.Length == 0) return "it has no session id";
        if (connect.Devices.Count == 0) return "it lists no device";
        return connect.Devices.Count <= _settings.Limits.Devices
            ? null : $"it lists {connect.Devices.Count} devices, {_settings.Limits.Devices} are allowed";
    }

    private async ValueTask<bool> TryConnectDeviceAsync(Device device)
    {
        if (FindModule(device) is not { } slot)
        {
            LogUnsupported(_logger, _settings.Name, Describe(device));
            return false;
        }
        if (device.DeviceRole.Length == 0)
        {
            LogEmptyRole(_logger, _settings.Name, Describe(device));
            return false;
        }
        if (_connected.Count >= _settings.Limits.Devices)
        {
            LogTooManyDevices(_logger, _settings.Name, Describe(device), _settings.Limits.Devices);
            return false;
        }
        var known = new Device(device) { Priority = 0 };
        if (!await slot.ConnectedAsync(known))
        {
            LogNotTaken(_logger, _settings.Name, Describe(device));
            return false;
        }
        var isFirstOfModule = !_connected.Keys.Any(k => k.Module == (int)device.Module);
        lock (_lock) _connected[DeviceKey.Of(device)] = known;
        if (isFirstOfModule && _settings.Offline == OfflinePolicy.Discard) DropPending((int)device.Module);
        return true;
    }

    private async ValueTask HandleFirstStatusAsync(Status status)
    {
        if (status.DeviceState != Status.Types.DeviceState.Connecting)
        {
            await EndSessionAsync($"a first status was {status.DeviceState}, not CONNECTING", sendNote: true);
            return;
        }
        if (status.DeviceStatus?.Device is not { } device) return;
        var key = DeviceKey.Of(device);
        if (!_listed.ContainsKey(key))
        {
            // Forwarded with the others, not answered: a gateway waits for as many answers as it listed devices.
            if (_firstStatuses.Count - _answered.Count < _settings.Limits.StatusWindow) _firstStatuses.Add(new WaitingStatus(status, _trace));
            return;
        }
        if (!_answered.Add(key)) return;
        _firstStatuses.Add(new WaitingStatus(status, _trace));
        await AnswerAsync(status);
        if (_answered.Count < _listed.Count) return;

        foreach (var first in _firstStatuses)
        {
            _trace = first.Trace;
            await ForwardAsync(first.Status);
        }
        if (_connected.Count == 0) await EndSessionAsync(NoDevice, sendNote: true);
        else await SendFirstCommandsAsync();
    }

    private async ValueTask SendFirstCommandsAsync()
    {
        _window.Reset(_settings.ReferenceOrder ? null : CounterAfterFirstStatuses());
        EnterPhase(Phase.FirstCommands);
        var sent = new HashSet<DeviceKey>();
        foreach (var (slot, command) in TakePending())
        {
            if (!MayCarry(slot, command)) continue;
            if (!_connected.TryGetValue(command.Key, out var device)) CountUndelivered(command);
            else if (sent.Add(command.Key)) await SendCommandAsync(command with { Device = device }, slot);
            else if (_settings.Offline == OfflinePolicy.Discard) CountUndelivered(command);
            else KeepPending(slot, command);
        }
        foreach (var (key, device) in _listed)
            if (sent.Add(key))
                await SendCommandAsync(new CarCommand(new Device(device) { Priority = 0 }, ByteString.Empty), slot: null);
        _firstResponsesMissing = _outstanding.Count;
    }

    // Usable is an unbroken run: the gateway numbers first statuses 1 to N and goes on with N + 1.
    private uint? CounterAfterFirstStatuses()
    {
        var answered = _firstStatuses.Select(first => first.Status).Where(s => _listed.ContainsKey(DeviceKey.Of(s.DeviceStatus.Device)));
        var counters = answered.Select(s => s.MessageCounter).ToHashSet();
        if (counters.Count != _listed.Count) return null;
        var lasts = counters.Where(c => !counters.Contains(unchecked(c + 1))).ToList();
        return lasts.Count == 1 ? unchecked(lasts[0] + 1) : null;
    }

    private async ValueTask CompleteSequenceAsync()
    {
        Move(CarState.Initialized);
        EnterPhase(Phase.Normal);
        Interlocked.Increment(ref Counters.Sessions);
        Move(CarState.Running);
        LogRunning(_logger, _settings.Name, SessionId, _connected.Count);
        Tell("car_online", EventSeverity.Notice, $"session {SessionId} runs with {_connected.Count} device(s)");
        foreach (var (slot, command) in TakePending()) await HandleCommandAsync(slot, command);
        while (_phase == Phase.Normal && _early.TryDequeue(out var early))
        {
            _trace = early.Trace;
            await HandleNormalStatusAsync(early.Status);
        }
    }

    private void Tell(string kind, EventSeverity severity, string text) => Events?.Publish("fleet", _settings.Name, kind, severity, text);

    private void EnterPhase(Phase phase)
    {
        _phase = phase;
        _phaseDeadline = phase is Phase.Idle or Phase.Normal ? TimeSpan.MaxValue : Now + _settings.StepTimeout;
        _sessionDeadline = phase == Phase.Normal ? Now + _settings.SessionTimeout : TimeSpan.MaxValue;
    }

    private async ValueTask EndSessionAsync(string reason, bool sendNote, CarState to = CarState.Error)
    {
        var hadSession = _phase != Phase.Idle;
        EnterPhase(Phase.Idle);
        // ERROR does not lead to STOPPED directly.
        if (to == CarState.Stopped && _state == CarState.Error) Move(CarState.Uninitialized);
        Move(to);
        if (to == CarState.Error)
        {
            if (hadSession) Interlocked.Increment(ref Counters.SessionsFailed);
            LastFailure = new CarFailure(reason, _time.GetUtcNow());
            // ERROR stays visible for a while, unless a Connect comes first.
            if (_linkUp) _phaseDeadline = Now + _settings.ErrorShown;
        }
        // Neither a stop nor the farewell of the last device is anything to look after.
        var isOrderly = to == CarState.Stopped || reason == LastDeviceLeft;
        if (hadSession)
        {
            LogEnded(_logger, isOrderly ? LogLevel.Information : LogLevel.Warning, _settings.Name, SessionId, reason);
            Tell(isOrderly ? "car_offline" : "car_lost", isOrderly ? EventSeverity.Notice : EventSeverity.Warning, $"session {SessionId} ended: {reason}");
        }
        // What belongs to the session is forgotten before anything foreign is called, so that a failing call leaves no half of it.
        var gone = ForgetSession(hadSession, reason);
        try
        {
            if (hadSession && sendNote && _linkUp) await SendNoteAsync();
        }
        finally
        {
            foreach (var device in gone) await TellDisconnectedAsync(device, announced: false);
        }
    }

    private Device[] ForgetSession(bool hadSession, string reason)
    {
        foreach (var entry in _outstanding.Clear()) KeepOrCount(entry);
        _listed.Clear();
        _answered.Clear();
        _firstStatuses.Clear();
        _early.Clear();
        _window.Reset(1);
        lock (_lock)
        {
            Device[] gone = [.. _connected.Values];
            _connected.Clear();
            if (hadSession) _history.Enqueue(new SessionRecord(SessionId, _sessionSince, _time.GetUtcNow(), reason));
            if (_history.Count > _settings.Limits.History) _history.Dequeue();
            return gone;
        }
    }

    private ValueTask SendNoteAsync() => _publish(new MqttMessage
    {
        Topic = _settings.NoteTopic,
        QualityOfService = QualityOfService.AtLeastOnce,
    });

    // One module that fails must not keep the others from hearing of it.
    private async ValueTask TellDisconnectedAsync(Device device, bool announced)
    {
        try
        {
            await _slots[(int)device.Module].DisconnectedAsync(device, announced);
        }
        catch (Exception e)
        {
            LogFault(_logger, _settings.Name, e);
        }
    }

    private ValueTask TickAsync()
    {
        var now = Now;
        if (_phase == Phase.Idle && now >= _phaseDeadline)
        {
            _phaseDeadline = TimeSpan.MaxValue;
            Listen();
        }
        else if (now >= _phaseDeadline)
        {
            return EndSessionAsync(
                _phase == Phase.FirstStatuses ? "first statuses did not arrive in time" : "responses to first commands did not arrive in time",
                sendNote: true);
        }
        else if (now >= _sessionDeadline)
        {
            return EndSessionAsync("session timeout: no status and no command response", sendNote: true);
        }
        else if (_phase == Phase.Normal && now >= GapDeadline)
        {
            return EndSessionAsync($"status timeout: number {_window.Next} did not arrive", sendNote: true);
        }
        else if (_phase == Phase.Normal && now >= _outstanding.Deadline)
        {
            return EndSessionAsync("command response timeout", sendNote: true);
        }
        return ValueTask.CompletedTask;
    }

    private TimeSpan GapDeadline => _window.GapSince is { } since ? since + _settings.StepTimeout : TimeSpan.MaxValue;

    private TimeSpan NextDue()
    {
        if (_phase != Phase.Normal) return _phaseDeadline;
        var due = _sessionDeadline < GapDeadline ? _sessionDeadline : GapDeadline;
        return due < _outstanding.Deadline ? due : _outstanding.Deadline;
    }
}
