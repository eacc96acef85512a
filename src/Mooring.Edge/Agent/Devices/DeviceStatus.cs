using System.Globalization;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Agent.Upkeep;

namespace Mooring.Edge.Agent.Devices;

/// <summary>Tells how a device is, in the shapes that hubs know.</summary>
internal sealed class DeviceStatus(
    EngineClient engine, AgentState state, OperationTable operations, DeviceUpkeep upkeep, DeviceNotes notes, HubTimes times, TimeProvider time)
{
    /// <summary>The status of a device.</summary>
    public async Task<JsonObject> ReadAsync(string device, CancellationToken cancellationToken)
    {
        var operation = operations.Find(device);
        // A create that failed beside a healthy device must not hide it: its error is told beside what is.
        if (operation is { HasFailed: false } || (operation is not null && state.Devices.Find(device) is null)) return Of(operation);
        ContainerDetails? container;
        try
        {
            container = await engine.InspectContainerAsync(device, cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e)
        {
            return new JsonObject { ["status"] = "error", ["device_id"] = device, ["error"] = e.Message };
        }
        if (container is null)
            return new JsonObject { ["status"] = "not_found", ["device_id"] = device, ["message"] = $"Device {device} not found" };
        var status = Of(device, container);
        if (operation?.Error is { } error) status["last_operation_error"] = error;
        return status;
    }

    /// <summary>The status of a device on which an operation runs, or failed.</summary>
    private JsonObject Of(Operation operation)
    {
        var status = new JsonObject
        {
            ["status"] = operation.Status,
            ["device_id"] = operation.Name,
            ["operation"] = operation.Word,
            ["started_at"] = times.Text(operation.StartedAt),
            ["updated_at"] = times.Text(operation.UpdatedAt),
            ["message"] = operation.HasFailed
                ? $"Operation {operation.Word} failed: {operation.Error}"
                : $"{operation.Name} is being {Doing(operation.Kind)}",
        };
        if (operation.Step is { } step) status["step"] = step;
        if (operation.Error is { } error) status["error"] = error;
        if (operation.Pull is { } pull)
            status["pull"] = new JsonObject { ["layers_done"] = pull.LayersDone, ["layers_total"] = pull.LayersTotal, ["bytes"] = pull.Bytes };
        return status;
    }

    private JsonObject Of(string device, ContainerDetails container)
    {
        var isRunning = container.State.Running;
        var (warnings, restarts) = notes.Read(device);
        var status = Answers.Success();
        status["device_id"] = device;
        status["container_status"] = container.State.Status;
        status["is_running"] = isRunning;
        status["networks"] = Networks(device, container);
        status["restart_count"] = container.RestartCount + restarts;
        if (container.NetworkSettings?.Networks?.GetValueOrDefault(InternalNetworks.NameOf(device))?.IPAddress is { Length: > 0 } address)
            status["internal_ip"] = address;
        if (isRunning && Uptime(container) is { } uptime) status["uptime_seconds"] = uptime;
        if (!isRunning) status["exit_code"] = container.State.ExitCode;
        if (container.State.Health?.Status is { } health and not ("none" or "")) status["health_status"] = health;
        if (state.SerialPorts.Find(device) is { Ports: var ports }) status["serial_ports"] = new JsonArray([.. ports.Select(Port)]);
        if (state.Devices.Find(device) is not { } record) return status;
        status["stopped_by_operator"] = record.IsStopped;
        status["lan_ready"] = isRunning && upkeep.IsAttached(device, container.State.Pid) && (state.Vnics.Find(device) ?? []).All(v => !v.IsDhcp || v.DhcpIp is not null);
        if (upkeep.HasGivenUp(device)) status["crash_loop"] = true;
        if (warnings.Count > 0) status["warnings"] = new JsonArray([.. warnings.Select(w => JsonValue.Create(w))]);
        return status;
    }

    private JsonObject Networks(string device, ContainerDetails container)
    {
        var networks = new JsonObject();
        var vnics = state.Vnics.Find(device) ?? [];
        foreach (var (name, endpoint) in container.NetworkSettings?.Networks ?? new Dictionary<string, EndpointSettings>())
        {
            if (name.EndsWith("_internal", StringComparison.Ordinal)) continue;
            var vnic = vnics.FirstOrDefault(v => v.NetworkName == name)
                ?? vnics.FirstOrDefault(v => name.StartsWith($"macvlan_{v.ParentInterface}_", StringComparison.Ordinal));
            networks[name] = Network(vnic?.DhcpIp ?? endpoint.IPAddress, endpoint.MacAddress, vnic?.DhcpGateway ?? endpoint.Gateway);
        }
        foreach (var vnic in vnics.Where(v => v.NetworkName is not null && v.IsWifi != true))
        {
            var name = networks.ContainsKey(vnic.NetworkName!) ? $"{vnic.NetworkName}_{vnic.Name}" : vnic.NetworkName!;
            if (container.NetworkSettings?.Networks?.ContainsKey(vnic.NetworkName!) == true) continue;
            networks[name] = Network(AddressOf(vnic), vnic.MacAddress, vnic.DhcpGateway ?? vnic.Gateway);
        }
        foreach (var vnic in vnics.Where(v => v.IsWifi == true))
            if (AddressOf(vnic) is { } address)
                networks[$"wifi_{vnic.ParentInterface}_{vnic.Name}"] = Network(address, null, vnic.DhcpGateway ?? vnic.ProxyArp?.Gateway ?? vnic.Gateway);
        return networks;
    }

    private static string? AddressOf(VnicRecord vnic) =>
        vnic.IsDhcp ? vnic.DhcpIp ?? vnic.ProxyArp?.IpAddress : Ipv4Subnet.WithoutPrefix(vnic.Ip);

    private static JsonObject Network(string? address, string? mac, string? gateway) =>
        new() { ["ip_address"] = address ?? "", ["mac_address"] = mac, ["gateway"] = gateway ?? "" };

    private static JsonObject Port(SerialPortRecord port)
    {
        var told = new JsonObject
        {
            ["name"] = port.Name, ["device_id"] = port.DeviceId, ["container_path"] = port.ContainerPath, ["status"] = port.Status,
        };
        if (port is { Status: "connected", CurrentHostPath: { } path }) told["current_host_path"] = path;
        return told;
    }

    private long? Uptime(ContainerDetails container) =>
        DateTimeOffset.TryParse(container.State.StartedAt?.Split('.')[0].TrimEnd('Z') + "Z", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var started)
            ? Math.Max((long)(time.GetUtcNow() - started).TotalSeconds, 0)
            : null;

    private static string Doing(OperationKind kind) => kind switch
    {
        OperationKind.Create => "created",
        OperationKind.Delete => "deleted",
        OperationKind.Upgrade => "upgraded",
        OperationKind.Start => "started",
        OperationKind.Stop => "stopped",
        OperationKind.Restart => "restarted",
        OperationKind.Update => "updated",
        _ => "worked on",
    };
}
