using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Host;

/// <summary>Serial devices of the host.</summary>
internal sealed class GetSerialDevices(HostNetwork network) : ITopic
{
    public string Name => "get_serial_devices";

    public Contract Contract => Contract.Request;

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var devices = new JsonArray();
        foreach (var device in network.SerialDevices.OrderBy(d => d.Path, StringComparer.Ordinal))
        {
            var item = new JsonObject
            {
                ["path"] = device.Path,
                ["device_id"] = device.ById ?? device.Path,
                ["vendor_id"] = device.VendorId,
                ["product_id"] = device.ProductId,
                ["serial"] = device.Serial,
                ["manufacturer"] = device.Manufacturer,
                ["product"] = device.Product,
            };
            // Without a name by its id a device has only the place where it is plugged in: another one may stand there tomorrow.
            if (device.ById is null) item["stable"] = false;
            devices.Add((JsonNode)item);
        }
        var answer = Answers.Success();
        answer["count"] = devices.Count;
        answer["devices"] = devices;
        return Task.FromResult(answer);
    }
}
