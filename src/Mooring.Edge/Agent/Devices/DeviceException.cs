using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.Devices;

/// <summary>A device cannot be made, changed or removed as it is wanted.</summary>
internal sealed class DeviceException(string message) : Exception(message)
{
    /// <summary>What of a failure belongs into a log beside its message: nothing where it is the engine's, the disk's or an operator's matter.</summary>
    public static Exception? TraceOf(Exception failure) =>
        failure is EngineException or DeviceException or IOException or OperationCanceledException ? null : failure;
}
