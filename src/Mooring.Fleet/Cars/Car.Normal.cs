using Mooring.Fleet.Protocol;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;
using ResponseType = Mooring.Fleet.Protocol.CommandResponse.Types.Type;

namespace Mooring.Fleet.Cars;

/// <summary>Normal communication (section 4): statuses, commands and their responses.</summary>
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
                if (_early.Count < _settings.EarlyStatusesMax) _early.Enqueue(status);
                return ValueTask.CompletedTask;
            default:
                return HandleNormalStatusAsync(status);
        }
    }

    private async ValueTask HandleNormalStatusAsync(Status status)
    {
        _sessionDeadline = Now + _settings.SessionTimeout;
        switch (_window.Offer(status, Now))
        {
            case StatusPlace.Duplicate:
                Interlocked.Increment(ref Counters.StatusesIgnored);
                return;
            case StatusPlace.TooFar:
                await EndSessionAsync($"status {status.MessageCounter} is too far ahead of {_window.Next}", sendNote: true);
                return;
        }
        while (_phase == Phase.Normal && _window.TryRelease(Now, out var released)) await ReactAsync(released);
        if (_phase == Phase.Normal && _connected.Count == 0) await EndSessionAsync("no device is left", sendNote: true);
    }

    private async ValueTask ReactAsync(Status status)
    {
        var device = status.DeviceStatus?.Device;
        if (device is null || !_slots.TryGetValue((int)device.Module, out var slot) || !slot.IsSupported(device.DeviceType))
        {
            LogUnsupported(_logger, _settings.Name, Describe(device));
            await AnswerUntakenAsync(status);
            return;
        }
        var key = DeviceKey.Of(device);
        var isConnected = _connected.ContainsKey(key);
        switch (status.DeviceState)
        {
            case DeviceState.Connecting when !isConnected:
                if (await TryConnectDeviceAsync(device)) await ForwardAndAnswerAsync(status);
                else await AnswerUntakenAsync(status);
                break;
            case DeviceState.Connecting when !_settings.ReferenceAnswers:
            case DeviceState.Running when isConnected:
                await ForwardAndAnswerAsync(status);
                break;
            case DeviceState.Disconnect when isConnected:
                await ForwardAndAnswerAsync(status);
                await DisconnectAsync(key);
                break;
            default:
                LogStateMismatch(_logger, _settings.Name, Describe(device), status.DeviceState);
                await AnswerUntakenAsync(status);
                break;
        }
    }

    private async ValueTask ForwardAndAnswerAsync(Status status)
    {
        await ForwardAsync(status);
        await AnswerAsync(status);
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

    private async ValueTask ForwardAsync(Status status)
    {
        var device = status.DeviceStatus.Device;
        if (!_slots.TryGetValue((int)device.Module, out var slot) || !slot.IsSupported(device.DeviceType)) return;
        // Modules compare priorities; they always see 0, as in device_connected.
        if (device.Priority != 0) device.Priority = 0;
        var known = _connected.GetValueOrDefault(DeviceKey.Of(device), device);
        await slot.ForwardStatusAsync(status.DeviceStatus.StatusData, known);
        if (status.ErrorMessage.Length > 0) await slot.ForwardErrorAsync(status.ErrorMessage, known);
    }

    private async ValueTask DisconnectAsync(DeviceKey key)
    {
        Device? device;
        lock (_lock)
            if (!_connected.Remove(key, out device)) return;
        await _slots[key.Module].DisconnectedAsync(device, announced: true);
    }

    private async ValueTask HandleCommandAsync(ModuleSlot? slot, CarCommand command)
    {
        if (_phase != Phase.Normal)
        {
            KeepPending(slot, command);
            return;
        }
        await SendCommandAsync(command, slot);
    }

    private async ValueTask SendCommandAsync(CarCommand command, ModuleSlot? slot)
    {
        if (slot is not null && slot.Number != (int)command.Device.Module)
        {
            LogWrongModule(_logger, _settings.Name, Describe(command.Device), slot.Number);
            if (!_settings.SendInvalidCommand)
            {
                CountUndelivered(command);
                return;
            }
        }
        if (_phase == Phase.Normal && !_connected.ContainsKey(command.Key))
            LogCommandWithoutDevice(_logger, _settings.Name, Describe(command.Device));
        if (_phase == Phase.Normal && command.Data.IsEmpty)
            LogEmptyCommand(_logger, _settings.Name, Describe(command.Device));
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
        });
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
    }

    private async ValueTask FinishCommandAsync(OutstandingCommands.Entry entry)
    {
        Interlocked.Increment(ref entry.Delivered ? ref Counters.CommandsDelivered : ref Counters.CommandsUndelivered);
        if (entry.Delivered && entry.Slot is { } slot) await slot.AcknowledgeAsync(entry.Command);
    }

    private void KeepPending(ModuleSlot? slot, CarCommand command)
    {
        var keptMax = _settings.Offline == OfflinePolicy.Keep ? _settings.KeptCommandsMax : 1;
        var ofDevice = _pending.Count(p => p.Command.Key == command.Key);
        // Without a policy the first of a device is what a starting session sends, later ones only replace what was dropped.
        if (_settings.Offline == OfflinePolicy.Discard) keptMax = _settings.PendingCommandsMax;
        if (ofDevice >= keptMax) RemovePendingAt(_pending.FindIndex(p => p.Command.Key == command.Key));
        if (_pending.Count >= _settings.PendingCommandsMax) RemovePendingAt(0);
        _pending.Add((slot, command));
    }

    private void RemovePendingAt(int index)
    {
        CountUndelivered(_pending[index].Command);
        _pending.RemoveAt(index);
    }

    private void DropPending(int module)
    {
        foreach (var (_, command) in _pending.Where(p => p.Slot?.Number == module)) CountUndelivered(command);
        _pending.RemoveAll(p => p.Slot?.Number == module);
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
        Interlocked.Increment(ref Counters.CommandsUndelivered);
        LogDropped(_logger, _settings.Name, Describe(command.Device));
    }

    private static string Describe(Device? device) =>
        device is null ? "no device" : $"{(int)device.Module}/{device.DeviceType}/{device.DeviceRole}/{device.DeviceName}";
}
