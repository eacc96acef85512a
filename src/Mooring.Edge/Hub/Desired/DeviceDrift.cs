using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Hub.Agents;

namespace Mooring.Edge.Hub.Desired;

/// <summary>A device that is not as this hub had it made.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="Differences">What differs, a line each.</param>
/// <param name="SeenAt">When it was looked at.</param>
internal sealed record DeviceDrift(string DeviceId, IReadOnlyList<string> Differences, DateTimeOffset SeenAt)
{
    /// <summary>Said of a device that its machine does not have.</summary>
    public const string Missing = "it is not there";

    /// <summary>Compares a device with how it was wanted. Pure.</summary>
    /// <param name="wanted">As for <c>create_new_runtime</c>.</param>
    /// <param name="status">What the agent says of it.</param>
    /// <returns>What differs; null when the agent gave no answer that says.</returns>
    public static IReadOnlyList<string>? Compare(JsonObject wanted, CallOutcome status)
    {
        if (status.Status == 404) return [Missing];
        if (status.Text("status") != "success") return null;
        var differences = new List<string>();
        var isStopped = status.Answer.TryGetProperty("stopped_by_operator", out var stopped) && stopped.ValueKind == JsonValueKind.True;
        if (status.Answer.TryGetProperty("is_running", out var running) && running.ValueKind == JsonValueKind.False && !isStopped)
            differences.Add($"it does not run ({status.Text("container_status")})");
        var networks = status.Answer.TryGetProperty("networks", out var told) && told.ValueKind == JsonValueKind.Object
            ? told.EnumerateObject().Select(network => network.Value).ToList() : [];
        var vnics = (wanted["vnic_configs"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        if (vnics.Count != networks.Count) differences.Add($"it has {networks.Count} interfaces on the plant's network, and should have {vnics.Count}");
        foreach (var vnic in vnics)
        {
            var name = Text(vnic, "name");
            if (Text(vnic, "mac") is { Length: > 0 } mac && !networks.Exists(network => Same(network, "mac_address", mac)))
                differences.Add($"vNIC {name}: no interface has the MAC address {mac}");
            if (Text(vnic, "network_mode") == "static" && Text(vnic, "ip")?.Split('/')[0] is { Length: > 0 } ip && !networks.Exists(network => Same(network, "ip_address", ip)))
                differences.Add($"vNIC {name}: no interface has the address {ip}");
        }
        return differences;
    }

    private static string? Text(JsonObject node, string name) => node[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static bool Same(JsonElement network, string name, string value) =>
        network.TryGetProperty(name, out var told) && told.ValueKind == JsonValueKind.String && string.Equals(told.GetString(), value, StringComparison.OrdinalIgnoreCase);
}
