using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Devices;

/// <summary>How a device is, or how far the work on it.</summary>
internal sealed class GetDeviceStatus(DeviceStatus status) : ITopic
{
    public string Name => "get_device_status";

    public Contract Contract => Contract.DeviceRequest;

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken) =>
        status.ReadAsync(request.DeviceId, cancellationToken);
}
