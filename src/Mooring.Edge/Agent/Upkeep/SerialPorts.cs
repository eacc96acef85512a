using System.Globalization;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.Agent.Upkeep;

/// <summary>Serial ports of devices: nodes that are made in the running container when a converter is plugged in.</summary>
internal sealed class SerialPorts(EngineClient engine, HostNetwork network, AgentState state) : IDisposable
{
    private const string Root = "root";

    // Devices and converters come at the same time: two makers of one node would trip over each other.
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>Makes the ports of a device what they should be with the converters that are plugged in now.</summary>
    public async Task SyncAsync(string device, CancellationToken cancellationToken)
    {
        if (state.SerialPorts.Find(device) is not { Ports: { Count: > 0 } }) return;
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await SyncOneAsync(device, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task SyncOneAsync(string device, CancellationToken cancellationToken)
    {
        if (state.SerialPorts.Find(device) is not { Ports: var ports }) return;
        var found = network.SerialDevices;
        var synced = new List<SerialPortRecord>(ports.Count);
        foreach (var port in ports)
            synced.Add(found.FirstOrDefault(d => IsMeant(port, d)) is { } plugged
                ? await ConnectAsync(device, port, plugged, cancellationToken).ConfigureAwait(false)
                : port with { Status = "disconnected", CurrentHostPath = null });
        if (!synced.SequenceEqual(ports)) state.SerialPorts.Update(device, record => record with { Ports = synced });
    }

    /// <summary>Whether a converter is the one that a port names: either may be the longer name of the other, but never an empty one.</summary>
    internal static bool IsMeant(SerialPortRecord port, SerialDevice device)
    {
        if ((device.ById ?? device.Path) is not { Length: > 0 } id || port.DeviceId.Length == 0) return false;
        return id.Contains(port.DeviceId, StringComparison.Ordinal) || port.DeviceId.Contains(id, StringComparison.Ordinal);
    }

    private async Task<SerialPortRecord> ConnectAsync(string device, SerialPortRecord port, SerialDevice plugged, CancellationToken cancellationToken)
    {
        if (plugged is not { Major: { } major, Minor: { } minor }) return port with { Status = "error" };
        var isMade = false;
        try
        {
            await RunAsync(device, ["rm", "-f", port.ContainerPath], cancellationToken).ConfigureAwait(false);
            isMade = await RunAsync(device, ["mknod", port.ContainerPath, "c", Text(major), Text(minor)], cancellationToken).ConfigureAwait(false);
            // A port that only root may open is of use to most runtimes, so a refusal is no error.
            if (isMade) await RunAsync(device, ["chmod", "666", port.ContainerPath], cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException)
        {
            // The container stopped meanwhile, or has no such programs: told by the port's status.
        }
        return port with
        {
            Status = isMade ? "connected" : "error",
            CurrentHostPath = plugged.Path,
            Major = major,
            Minor = minor,
        };
    }

    private async Task<bool> RunAsync(string device, IReadOnlyList<string> command, CancellationToken cancellationToken) =>
        (await engine.ExecAsync(device, command, Root, cancellationToken).ConfigureAwait(false)).ExitCode == 0;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
