using Mooring.Edge.Agent.Operations;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Something else is being done with the device.</summary>
/// <param name="running">What.</param>
internal sealed class DeviceBusyException(Operation? running) : Exception("the device is busy")
{
    /// <summary>What is being done.</summary>
    public Operation? Running { get; } = running;
}
