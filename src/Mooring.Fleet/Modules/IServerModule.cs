namespace Mooring.Fleet.Modules;

/// <summary>
/// What understands the devices of one feature area, for one car. Calls come one after the other, in the order of the
/// car's messages; the next one waits until the task of the last is done. An exception is logged and never stops a car.
/// A call that takes longer than 20 s is not waited for any more: the car goes on, further calls queue up, and beyond
/// 64 they are dropped. Code that blocks is better left out; if it is not, it holds a thread of this module alone.
/// Disposed when the car or the server stops, after the last call.
/// </summary>
public interface IServerModule : IAsyncDisposable
{
    /// <summary>Whether the module understands devices of this type. Asked often: answer from memory.</summary>
    /// <param name="deviceType">Type of a device.</param>
    bool IsSupported(uint deviceType);

    /// <summary>A device is there.</summary>
    /// <param name="device">The device.</param>
    /// <param name="cancellationToken">Cancelled when the module is to stop.</param>
    /// <returns>False to refuse the device.</returns>
    ValueTask<bool> DeviceConnectedAsync(ModuleDevice device, CancellationToken cancellationToken);

    /// <summary>A device is gone.</summary>
    /// <param name="device">The device.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellationToken">Cancelled when the module is to stop.</param>
    ValueTask DeviceDisconnectedAsync(ModuleDevice device, DeviceLoss reason, CancellationToken cancellationToken);

    /// <summary>A device reports. The car gets its answer when the task is done.</summary>
    /// <param name="device">The device.</param>
    /// <param name="status">What it says; valid as long as anybody keeps it.</param>
    /// <param name="cancellationToken">Cancelled when the module is to stop.</param>
    ValueTask StatusAsync(ModuleDevice device, ReadOnlyMemory<byte> status, CancellationToken cancellationToken);

    /// <summary>What went wrong with a device while its car had no connection; comes after the status that carried it.</summary>
    /// <param name="device">The device.</param>
    /// <param name="error">What the module's other half on the car gathered.</param>
    /// <param name="cancellationToken">Cancelled when the module is to stop.</param>
    ValueTask ErrorAsync(ModuleDevice device, ReadOnlyMemory<byte> error, CancellationToken cancellationToken);

    /// <summary>The car confirmed that a command reached its device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="command">The command.</param>
    /// <param name="cancellationToken">Cancelled when the module is to stop.</param>
    ValueTask CommandDeliveredAsync(ModuleDevice device, ReadOnlyMemory<byte> command, CancellationToken cancellationToken);
}
