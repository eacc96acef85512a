using Google.Protobuf;
using Mooring.Fleet.Protocol;
using Mooring.Mqtt;

namespace Mooring.Fleet.Cars;

/// <summary>The connect sequence (section 3) and the end of a session (4.6).</summary>
internal sealed partial class Car
{
    private readonly OrderedDictionary<DeviceKey, Device> _listed = [];
    private readonly OrderedDictionary<DeviceKey, Device> _connected = [];
    private readonly List<Status> _firstStatuses = [];
    private readonly HashSet<DeviceKey> _answered = [];
    private readonly Queue<Status> _early = [];
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
        await ListenAsync();
        if (connect.SessionId.Length == 0 || connect.Devices.Count == 0 || connect.Devices.Count > _settings.DevicesMax)
        {
            await EndSessionAsync("Connect without session id, without devices or with too many of them", sendNote: false);
            return;
        }
        SessionId = connect.SessionId;
        _sessionSince = _time.GetUtcNow();
        foreach (var device in connect.Devices)
        {
            if (!_listed.TryAdd(DeviceKey.Of(device), device)) continue;
            var accepted = await TryConnectDeviceAsync(device);
            if (!accepted && _settings.ReferenceAnswers) _listed.Remove(DeviceKey.Of(device));
        }
        EnterPhase(Phase.FirstStatuses);
        await PublishAsync(new ExternalServer { ConnectResponse = new ConnectResponse { SessionId = SessionId } });
        if (_listed.Count == 0) await EndSessionAsync("no device of the car was accepted", sendNote: true);
    }

    private async ValueTask<bool> TryConnectDeviceAsync(Device device)
    {
        var known = new Device(device) { Priority = 0 };
        if (!_slots.TryGetValue((int)device.Module, out var slot) || !slot.IsSupported(device.DeviceType))
        {
            LogUnsupported(_logger, _settings.Name, Describe(device));
            return false;
        }
        if (device.DeviceRole.Length == 0)
        {
            LogEmptyRole(_logger, _settings.Name, Describe(device));
            return false;
        }
        if (!await slot.ConnectedAsync(known))
        {
            LogNotTaken(_logger, _settings.Name, Describe(device));
            return false;
        }
        var firstOfModule = !_connected.Keys.Any(k => k.Module == (int)device.Module);
        lock (_lock) _connected[DeviceKey.Of(device)] = known;
        if (firstOfModule && _settings.Offline == OfflinePolicy.Discard) DropPending((int)device.Module);
        return true;
    }

    private async ValueTask HandleFirstStatusAsync(Status status)
    {
        var device = status.DeviceStatus?.Device;
        if (status.DeviceState != Status.Types.DeviceState.Connecting)
        {
            await EndSessionAsync("a first status was not CONNECTING", sendNote: true);
            return;
        }
        if (device is null) return;
        var key = DeviceKey.Of(device);
        if (!_listed.ContainsKey(key))
        {
            // Forwarded with the others, not answered: a gateway waits for as many answers as it listed devices.
            if (_firstStatuses.Count < _settings.EarlyStatusesMax) _firstStatuses.Add(status);
            return;
        }
        if (!_answered.Add(key)) return;
        _firstStatuses.Add(status);
        await AnswerAsync(status);
        if (_answered.Count < _listed.Count) return;

        foreach (var first in _firstStatuses) await ForwardAsync(first);
        if (_connected.Count == 0)
        {
            await EndSessionAsync("no device of the car was accepted", sendNote: true);
            return;
        }
        await SendFirstCommandsAsync();
    }

    private async ValueTask SendFirstCommandsAsync()
    {
        _window.Reset(_settings.ReferenceOrder ? null : CounterAfterFirstStatuses());
        EnterPhase(Phase.FirstCommands);
        var sent = new HashSet<DeviceKey>();
        foreach (var (slot, command) in TakePending())
        {
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
        var answered = _firstStatuses.Where(s => _listed.ContainsKey(DeviceKey.Of(s.DeviceStatus.Device)));
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
        foreach (var (slot, command) in TakePending()) await SendCommandAsync(command, slot);
        while (_phase == Phase.Normal && _early.TryDequeue(out var status)) await HandleNormalStatusAsync(status);
    }

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
            (LastError, LastErrorAt) = (reason, _time.GetUtcNow());
            // ERROR stays visible for a while, unless a Connect comes first.
            if (_linkUp) _phaseDeadline = Now + _settings.ErrorShown;
        }
        if (hadSession) LogEnded(_logger, _settings.Name, SessionId, reason);
        if (hadSession && sendNote && _linkUp) await SendNoteAsync();
        foreach (var entry in _outstanding.Clear()) KeepOrCount(entry);
        _listed.Clear();
        _answered.Clear();
        _firstStatuses.Clear();
        _early.Clear();
        _window.Reset(1);
        Device[] gone;
        lock (_lock)
        {
            gone = [.. _connected.Values];
            _connected.Clear();
            if (hadSession) _history.Enqueue(new SessionRecord(SessionId, _sessionSince, _time.GetUtcNow(), reason));
            if (_history.Count > _settings.HistoryMax) _history.Dequeue();
        }
        foreach (var device in gone) await _slots[(int)device.Module].DisconnectedAsync(device, announced: false);
    }

    private async ValueTask SendNoteAsync()
    {
        await _mqtt.EnqueueAsync(new MqttMessage
        {
            Topic = _settings.NoteTopic,
            QualityOfService = QualityOfService.AtLeastOnce,
        });
    }

    private async ValueTask TickAsync()
    {
        var now = Now;
        if (_phase == Phase.Idle && now >= _phaseDeadline)
        {
            _phaseDeadline = TimeSpan.MaxValue;
            await ListenAsync();
        }
        else if (now >= _phaseDeadline)
            await EndSessionAsync($"the connect sequence stood still in {_phase}", sendNote: true);
        else if (now >= _sessionDeadline)
            await EndSessionAsync("session timeout: no status and no command response", sendNote: true);
        else if (_phase == Phase.Normal && now >= GapDeadline)
            await EndSessionAsync($"status timeout: number {_window.Next} did not arrive", sendNote: true);
        else if (_phase == Phase.Normal && now >= _outstanding.Deadline)
            await EndSessionAsync("command response timeout", sendNote: true);
    }

    private TimeSpan GapDeadline => _window.GapSince is { } since ? since + _settings.StepTimeout : TimeSpan.MaxValue;

    private TimeSpan NextDue()
    {
        if (_phase != Phase.Normal) return _phaseDeadline;
        var due = _sessionDeadline < GapDeadline ? _sessionDeadline : GapDeadline;
        return due < _outstanding.Deadline ? due : _outstanding.Deadline;
    }
}
