namespace Mooring.Edge.Agent.Devices;

/// <summary>A device cannot be had as it is wanted.</summary>
/// <param name="message">Why, for the operator.</param>
internal sealed class DeviceException(string message) : Exception(message);
