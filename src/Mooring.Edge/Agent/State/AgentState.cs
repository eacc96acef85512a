namespace Mooring.Edge.Agent.State;

/// <summary>What is meant to be on this machine: the files that outlive the agent, in the folder that it shares with the network monitor.</summary>
internal sealed class AgentState
{
    /// <summary>Loads all files.</summary>
    /// <param name="folder">The data folder, such as <c>/var/orchestrator</c>.</param>
    /// <param name="time">Stamps broken files.</param>
    public AgentState(string folder, TimeProvider time)
    {
        var data = Path.Combine(folder, "data");
        Devices = new(Path.Combine(data, "clients.json"), StateJson.Default.SortedDictionaryStringDeviceRecord, time);
        Vnics = new(Path.Combine(data, "vnics.json"), StateJson.Default.SortedDictionaryStringIReadOnlyListVnicRecord, time,
            formerPath: Path.Combine(folder, "runtime_vnics.json"));
        SerialPorts = new(Path.Combine(data, "serial_configs.json"), StateJson.Default.SortedDictionaryStringSerialRecord, time);
        RuntimePins = new(Path.Combine(data, "runtime_pins.json"), StateJson.Default.SortedDictionaryStringRuntimePinRecord, time);
        DedicatedNics = new(Path.Combine(folder, "dedicated_nics.json"), StateJson.Default.SortedDictionaryStringDedicatedNicRecord, time);
    }

    /// <summary>The devices, by name.</summary>
    public StateFile<DeviceRecord> Devices { get; }

    /// <summary>Their virtual network interfaces.</summary>
    public StateFile<IReadOnlyList<VnicRecord>> Vnics { get; }

    /// <summary>Their serial ports.</summary>
    public StateFile<SerialRecord> SerialPorts { get; }

    /// <summary>Physical interfaces that belong to them.</summary>
    public StateFile<DedicatedNicRecord> DedicatedNics { get; }

    /// <summary>The certificates that their runtimes are known by, where the agent was told to look at them.</summary>
    public StateFile<RuntimePinRecord> RuntimePins { get; }

    /// <summary>
    /// Whether it is known which devices there are. Where the registry was lost, work that destroys or cleans up is refused: what it
    /// does not know might be a running plant.
    /// </summary>
    public bool IsRegistryKnown => Devices.Finding != StateFileFinding.Lost;

    /// <summary>One line for each file that was broken.</summary>
    public IEnumerable<string> Findings()
    {
        foreach (var (finding, path) in new[]
        {
            (Devices.Finding, Devices.FilePath), (Vnics.Finding, Vnics.FilePath),
            (SerialPorts.Finding, SerialPorts.FilePath), (DedicatedNics.Finding, DedicatedNics.FilePath),
            (RuntimePins.Finding, RuntimePins.FilePath),
        })
        {
            if (finding == StateFileFinding.Restored) yield return $"{path} was broken and is restored from its backup; the broken file lies beside it";
            if (finding == StateFileFinding.Lost) yield return $"{path} was broken, and so is its backup: it begins empty; the broken file lies beside it";
        }
    }

    /// <summary>Whose the physical interfaces are, by name of the interface. In a file that says two, the first device has it.</summary>
    public Dictionary<string, string> DedicatedTo()
    {
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (device, nic) in DedicatedNics.Snapshot()) owners.TryAdd(nic.HostInterface, device);
        return owners;
    }

    /// <summary>Forgets everything about a device.</summary>
    public void Forget(string name)
    {
        RuntimePins.Remove(name);
        SerialPorts.Remove(name);
        DedicatedNics.Remove(name);
        Vnics.Remove(name);
        // The device last: as long as it is registered, a killed removal is found and finished.
        Devices.Remove(name);
    }
}
