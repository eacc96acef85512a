using Google.Protobuf;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Cars;

/// <summary>One module of one car, as the car sees it. Calls come from the car's mailbox, one after the other.</summary>
internal abstract class ModuleSlot
{
    internal abstract int Number { get; }

    /// <summary>Set by the car: takes each command that the module gives.</summary>
    internal Action<CarCommand>? CommandReady { get; set; }

    /// <summary>Begins to ask the module for commands; <see cref="CommandReady"/> is set by then.</summary>
    internal virtual void Start()
    {
    }

    internal abstract bool IsSupported(uint deviceType);

    /// <summary>True when the module took the device.</summary>
    internal abstract ValueTask<bool> ConnectedAsync(Device device);

    internal abstract ValueTask DisconnectedAsync(Device device, bool announced);

    internal abstract ValueTask ForwardStatusAsync(ByteString status, Device device);

    internal abstract ValueTask ForwardErrorAsync(ByteString error, Device device);

    internal abstract ValueTask AcknowledgeAsync(CarCommand command);

    /// <summary>Ends polling and destroys the module's context; no call comes after it.</summary>
    internal abstract ValueTask StopAsync();
}
