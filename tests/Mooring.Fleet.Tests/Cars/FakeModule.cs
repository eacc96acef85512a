using Google.Protobuf;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>A module that writes down its calls. It supports device types below 10.</summary>
internal sealed class FakeModule(int number) : ModuleSlot
{
    public List<string> Calls { get; } = [];

    /// <summary>Statuses are never taken, as by a library that waits for ever.</summary>
    public bool Hangs { get; set; }

    /// <summary>Devices are refused.</summary>
    public bool Refuses { get; set; }

    /// <summary>Every call throws.</summary>
    public bool Throws { get; set; }

    internal override int Number => number;

    public void Give(Device device, string data) => CommandReady!(new CarCommand(device, ByteString.CopyFromUtf8(data)));

    internal override bool IsSupported(uint deviceType) => deviceType < 10;

    internal override ValueTask<bool> ConnectedAsync(Device device)
    {
        Calls.Add($"connected {device.DeviceRole} {device.Priority}");
        if (Throws) throw new InvalidOperationException("module fault");
        return ValueTask.FromResult(!Refuses);
    }

    internal override ValueTask DisconnectedAsync(Device device, bool announced) =>
        Note($"disconnected {device.DeviceRole} {(announced ? "announced" : "timeout")}");

    internal override ValueTask ForwardStatusAsync(ByteString status, Device device) => Hangs
        ? new ValueTask(new TaskCompletionSource().Task)
        : Note($"status {device.DeviceRole} {status.ToStringUtf8()}");

    internal override ValueTask ForwardErrorAsync(ByteString error, Device device) => Note($"error {error.ToStringUtf8()}");

    internal override ValueTask AcknowledgeAsync(CarCommand command) => Note($"ack {command.Data.ToStringUtf8()}");

    internal override ValueTask StopAsync() => Note("destroy");

    private ValueTask Note(string call)
    {
        Calls.Add(call);
        if (Throws) throw new InvalidOperationException("module fault");
        return ValueTask.CompletedTask;
    }
}
