using Mooring.Fleet.Configuration;
using Mooring.Fleet.Protocol;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;
using ResponseType = Mooring.Fleet.Protocol.CommandResponse.Types.Type;

namespace Mooring.Fleet.Cars;

/// <summary>Normal communication: statuses, commands and their responses.</summary>
internal sealed partial class Car
{
    private readonly OutstandingCommands _outstanding = new();
    private readonly List<(ModuleSlot? Slot, CarCommand Command)> _pending = [];
    private readonly StatusWindow _window;

    private ValueTask HandleStatusAsync(Status status)
    {
        Interlocked.Increment(ref Counters.StatusesReceived);
        if (_phase == Phase.Idle || status.SessionId != SessionId)
        {
            Interlocked.Increment(ref Counters.StatusesIgnored);
            LogForeign(_logger, _settings.Name, status.SessionId);
            return ValueTask.CompletedTask;
        }
        switch (_phase)
        {
            case Phase.FirstStatuses:
                return HandleFirstStatusAsync(status);
            case Phase.FirstCommands:
                if (_early.Count < _settings.Limits.StatusWindow) _early.Enqueue(new WaitingStatus(status, _trace));
                return ValueTask.CompletedTask;
            default:
                return HandleNormalStatusAsync(status);
        }
    }

    private async ValueTask HandleNormalStatusAsync(Status status)
    {
        var now = Now;
        _sessionDeadline = now + _settings.SessionTimeout;
        switch (_window.Offer(status, now, _trace))
        {
            case StatusPlace.Next:
                await ReactAsync(status);
                break;
            case StatusPlace.Duplicate:
                Interlocked.Increment(ref Counters.StatusesIgnored);
                return;
            case StatusPlace.TooFar:
                await EndSessionAsync($"status {status.MessageCounter} is too far ahead of {_window.Next}", sendNote: true);
                return;
        }
        while (_phase == Phase.Normal && _window.TryRelease(now, out var released))
        {
            _trace = released.Trace;
            await ReactAsync(released.Status);
        }
        if (_phase == Phase.Normal && _connected.Count == 0) await EndSessionAsync(LastDeviceLeft, sendNote: true);
    }

    private ModuleSlot? FindModule(Device device) =>
        _slots.TryGetValue((int)device.Module, out var slot) && slot.IsSupported(device.DeviceType) ? slot : null;

    private async ValueTask ReactAsync(Status status)
    {
        var device = status.DeviceStatus?.Device;
        if (device is null || FindModule(device) is not { } slot)
        {
            LogUnsupported(_logger, _settings.Name, Describe(device));
            await AnswerUntakenAsync(status);
            return;
        }
        var key = DeviceKey.Of(device);
        _connected.TryGetValue(key, out var known);
        switch (status.DeviceState)
        {
            case DeviceState.Running when known is not null:
            case DeviceState.Connecting when known is not null && !_settings.ReferenceAnswers:
                await ForwardAsync(status, slot, known);
                await AnswerAsync(status);
                break;
            case DeviceState.Connecting when known is null && await TryConnectDeviceAsync(device):
                await ForwardAsync(status, slot, _connected[key]);
                await AnswerAsync(status);
                break;
            case DeviceState.Disconnect when known is not null:
                await ForwardAsync(status, slot, known);
                await AnswerAsync(status);
                await DisconnectAsync(key);
                break;
            default:
                LogStateMismatch(_logger, _settings.Name, Describe(device), status.DeviceState);
                await AnswerUntakenAsync(status);
                break;
        }
    }

    // A gateway drops the whole car when one status stays without an answer for 30 s.
    private ValueTask AnswerUntakenAsync(Status status)
    {
        Interlocked.Increment(ref Counters.StatusesIgnored);
        return _settings.ReferenceAnswers ? ValueTask.CompletedTask : AnswerAsync(status);
    }

    private ValueTask AnswerAsync(Status status)
    {
        Interlocked.Increment(ref Counters.StatusesAnswered);
        return PublishAsync(new ExternalServer
        {
            StatusResponse = new StatusResponse { SessionId = SessionId, MessageCounter = status.MessageCounter },
        });
    }

    private ValueTask ForwardAsync(Status first)
    {
        var device = first.DeviceStatus.Device;
        if (device.DeviceRole.Length == 0 || FindModule(device) is not { } slot) return ValueTask.CompletedTask;
        // Modules compare priorities; they always see 0, as in device_connected.
        return ForwardAsync(first, slot, _connected.GetValueOrDefault(DeviceKey.Of(device)) ?? new Device(device) { Priority = 0 });
    }

    private async ValueTask ForwardAsync(Status status, ModuleSlot slot, Device known)
    {
        using var activity = FleetTracing.StartModule(slot.Number, known, _trace);
        await slot.ForwardStatusAsync(status.DeviceStatus.StatusData, known);
        if (status.ErrorMessage.Length > 0) await slot.ForwardErrorAsync(status.ErrorMessage, known);
    }

    private async ValueTask DisconnectAsync(DeviceKey key)
    {
        Device? device;
        lock (_lock)
            if (!_connected.Remove(key, out device)) return;
        await TellDisconnectedAsync(device, announced: true);
    }

    private ValueTask HandleCommandAsync(ModuleSlot? slot, CarCommand command)
    {
        if (_phase == Phase.Normal && _outstanding.Count < _settings.Limits.Commands) return SendAskedAsync(slot, command);
        KeepPending(slot, command);
        return ValueTask.CompletedTask;
    }

    private ValueTask SendAskedAsync(ModuleSlot? slot, CarCommand command)
    {
        if (!MayCarry(slot, command)) return ValueTask.CompletedTask;
        if (!_connected.ContainsKey(command.Key)) LogCommandWithoutDevice(_logger, _settings.Name, Describe(command.Device));
        if (command.Data.IsEmpty) LogEmptyCommand(_logger, _settings.Name, Describe(command.Device));
        return SendCommandAsync(command, slot);
    }

    private bool MayCarry(ModuleSlot? slot, CarCommand command)
    {
        if (slot is null || slot.Number == (int)command.Device.Module) return true;
        LogWrongModule(_logger, _settings.Name, Describe(command.Device), slot.Number);
        if (_settings.SendInvalidCommand) return true;
        CountUndelivered(command);
        return false;
    }

    private async ValueTask SendCommandAsync(CarCommand command, ModuleSlot? slot)
    {
        var counter = _outstanding.Add(command, slot, Now + _settings.StepTimeout);
        Interlocked.Increment(ref Counters.CommandsSent);
        await PublishAsync(new ExternalServer
        {
            Command = new Command
            {
                SessionId = SessionId,
                MessageCounter = counter,
                DeviceCommand = new DeviceCommand { Device = command.Device, CommandData = command.Data },
            },
        }, command.Trace ?? _trace);
    }

    private async ValueTask HandleResponseAsync(CommandResponse response)
    {
        if (_phase is not (Phase.FirstCommands or Phase.Normal) || response.SessionId != SessionId)
        {
            LogForeign(_logger, _settings.Name, response.SessionId);
            return;
        }
        if (_phase == Phase.Normal) _sessionDeadline = Now + _settings.SessionTimeout;
        var entry = _outstanding.Answer(response.MessageCounter, response.Type == ResponseType.Ok);
        if (entry is null)
        {
            LogUnknownResponse(_logger, _settings.Name, response.MessageCounter);
            return;
        }
        if (response.Type != ResponseType.Ok)
        {
            LogNotDelivered(_logger, _settings.Name, Describe(entry.Command.Device), response.Type);
            if (_phase == Phase.Normal && response.Type == ResponseType.DeviceNotConnected) await DisconnectAsync(entry.Command.Key);
        }
        while (_outstanding.TryRelease(out var released)) await FinishCommandAsync(released);
        if (_phase == Phase.FirstCommands && --_firstResponsesMissing == 0) await CompleteSequenceAsync();
        // Those that waited because too many were outstanding.
        while (_phase == Phase.Normal && _pending.Count > 0 && _outstanding.Count < _settings.Limits.Commands)
        {
            var (slot, command) = _pending[0];
            _pending.RemoveAt(0);
            await SendAskedAsync(slot, command);
        }
    }

    private async ValueTask FinishCommandAsync(OutstandingCommands.Entry entry)
    {
        Interlocked.Increment(ref entry.Delivered ? ref Counters.CommandsDelivered : ref Counters.CommandsUndelivered);
        entry.Command.Outcome?.TrySetResult(entry.Delivered ? CommandOutcome.Delivered : CommandOutcome.Refused);
        if (entry.Delivered && entry.Slot is { } slot) await slot.AcknowledgeAsync(entry.Command);
    }

    private void KeepPending(ModuleSlot? slot, CarCommand command)
    {
        // Without a policy nothing from before the module's first device survives; the newest is kept only until then.
        var module = slot?.Number ?? (int)command.Device.Module;
        if (_settings.Offline == OfflinePolicy.Discard && !_connected.Keys.Any(k => k.Module == module)) DropPending(module);
        if (_settings.Offline != OfflinePolicy.Discard)
        {
            var keptMax = _settings.Offline == OfflinePolicy.Keep ? _settings.KeptCommandsMax : 1;
            if (_pending.Count(p => p.Command.Key == command.Key) >= keptMax)
                RemovePendingAt(_pending.FindIndex(p => p.Command.Key == command.Key));
        }
        if (_pending.Count >= _settings.Limits.Commands) RemovePendingAt(0);
        _pending.Add((slot, command));
    }

    private void RemovePendingAt(int index)
    {
        CountUndelivered(_pending[index].Command);
        _pending.RemoveAt(index);
    }

    private void DropPending(int module)
    {
        for (var i = _pending.Count - 1; i >= 0; i--)
            if ((_pending[i].Slot?.Number ?? (int)_pending[i].Command.Device.Module) == module) RemovePendingAt(i);
    }

    private (ModuleSlot? Slot, CarCommand Command)[] TakePending()
    {
        (ModuleSlot?, CarCommand)[] taken = [.. _pending];
        _pending.Clear();
        return taken;
    }

    private void KeepOrCount(OutstandingCommands.Entry entry)
    {
        var isOurs = entry.Slot is null && entry.Command.Data.IsEmpty;
        if (isOurs) return;
        if (_settings.Offline == OfflinePolicy.Discard || entry.Answered) CountUndelivered(entry.Command);
        else KeepPending(entry.Slot, entry.Command);
    }

    private void CountUndelivered(CarCommand command)
    {
        var count = Interlocked.Increment(ref Counters.CommandsUndelivered);
        command.Outcome?.TrySetResult(CommandOutcome.Dropped);
        // One line for each power of two: a module that talks on without a car must not fill the log.
        if (long.IsPow2(count)) LogDropped(_logger, _settings.Name, Describe(command.Device), count);
    }

    private static string Describe(Device? device) =>
        device is null ? "no device" : $"{(int)device.Module}/{device.DeviceType}/{device.DeviceRole}/{device.DeviceName}";
}
