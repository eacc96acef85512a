using System.Globalization;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.State;

namespace Mooring.Edge.Agent.Devices;

/// <summary>How the container of a device is made. Pure: from the specification to what is sent to the engine.</summary>
internal static class DeviceContainer
{
    /// <summary>Label by which containers of this product are told apart.</summary>
    public const string RoleLabel = "edge.autonomy.role";

    /// <summary>Value of <see cref="RoleLabel"/> for devices.</summary>
    public const string DeviceRole = "vplc";

    /// <summary>Value of <see cref="RoleLabel"/> for the agent's own container.</summary>
    public const string AgentRole = "orchestrator-agent";

    private const string AgentLabel = "edge.autonomy.agent";
    private const string CreatedLabel = "edge.autonomy.created";
    private const string RuntimeFolder = "/var/run/runtime";

    private const int FirstOnBoardPort = 64;
    private const int OnBoardPorts = 32;

    // devices.txt of the kernel: USB serial converters, USB modems, low-density serial ports as ARM boards have them, and ttyS0 to ttyS31.
    // The rest of major number 4 are the consoles of the machine. No engine changes these rules while a container runs, and a converter may
    // be plugged in later: the first three are whole classes.
    private static readonly string[] SerialRules =
        ["c 188:* rmw", "c 166:* rmw", "c 204:* rmw", .. Enumerable.Range(FirstOnBoardPort, OnBoardPorts).Select(minor => $"c 4:{minor} rmw")];

    /// <summary>Name of the volume that keeps the users and the program of a device's runtime.</summary>
    public static string VolumeOf(string device) => device + "_data";

    /// <summary>What the engine is asked for.</summary>
    /// <param name="wanted">The device.</param>
    /// <param name="context">Where it is made.</param>
    public static ContainerCreation Build(DeviceSpecification wanted, DeviceContainerContext context)
    {
        var host = new HostSettings
        {
            NetworkMode = InternalNetworks.NameOf(wanted.Name),
            RestartPolicy = new RestartPolicy("no"),
            CapAdd = [.. context.WithRealTime ? ["SYS_NICE"] : Array.Empty<string>(), "MKNOD", .. wanted.DedicatedInterface is null ? Array.Empty<string>() : ["NET_RAW", "NET_ADMIN"]],
            Runtime = context.OciRuntime,
            Ulimits = context.WithUlimits ? [new Ulimit("rtprio", 99, 99), new Ulimit("memlock", -1, -1)] : null,
            DeviceCgroupRules = SerialRules,
            Dns = DnsOf(wanted),
            Binds = context.KeepRuntimeData ? [$"{VolumeOf(wanted.Name)}:{RuntimeFolder}"] : null,
            LogConfig = new LogSettings("json-file", new Dictionary<string, string> { ["max-size"] = "10m", ["max-file"] = "3" }),
            Memory = wanted.MemoryMiB is { } memory ? (long)(memory * 1024 * 1024) : 0,
            NanoCpus = wanted.Cpus is { } cpus ? (long)(cpus * 1e9) : 0,
        };
        var creation = new ContainerCreation
        {
            Image = $"{context.Image}:{wanted.Version}",
            Labels = new Dictionary<string, string>
            {
                [RoleLabel] = DeviceRole,
                [AgentLabel] = context.AgentId,
                [CreatedLabel] = context.Now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            },
            HostConfig = host,
        };
        return WithNetworks(creation, host, wanted.Name, context);
    }

    /// <summary>What to leave out after the engine refused a container: a limit or a capability that it, or the machine, does not allow.</summary>
    /// <returns>Where the container is to be made with less; null when something else was wrong, or there is nothing left to leave out.</returns>
    public static DeviceContainerContext? Without(DeviceContainerContext context, EngineException refusal)
    {
        bool Says(string word) => refusal.Message.Contains(word, StringComparison.OrdinalIgnoreCase);
        if (context.WithUlimits && (Says("rlimit") || Says("ulimit"))) return context with { WithUlimits = false };
        return context.WithRealTime && (Says("capabilit") || Says("apply caps")) ? context with { WithRealTime = false } : null;
    }

    // Engines from API 1.44 on take all networks at once. Older ones take one, with the hardware address beside it; the others are joined
    // afterwards, where the engine pays no attention to a hardware address.
    private static ContainerCreation WithNetworks(ContainerCreation creation, HostSettings host, string name, DeviceContainerContext context)
    {
        if (context.Lans.Count == 0) return creation;
        var endpoints = context.Lans.ToDictionary(lan => lan.Network, EndpointOf, StringComparer.Ordinal);
        if (context.TakesSeveralNetworks)
        {
            endpoints[InternalNetworks.NameOf(name)] = new EndpointSettings();
            return creation with { NetworkingConfig = new NetworkingSettings(endpoints) };
        }
        var first = context.Lans[0];
        return creation with
        {
            MacAddress = first.Mac,
            HostConfig = host with { NetworkMode = first.Network },
            NetworkingConfig = new NetworkingSettings(new Dictionary<string, EndpointSettings> { [first.Network] = endpoints[first.Network] }),
        };
    }

    /// <summary>A device's place in a network that the engine made.</summary>
    public static EndpointSettings EndpointOf(EngineLan lan) => new()
    {
        MacAddress = lan.Mac,
        IPAMConfig = lan.Address is { } address ? new EndpointAddresses(address) : null,
    };

    private static IReadOnlyList<string>? DnsOf(DeviceSpecification wanted)
    {
        var servers = wanted.Vnics.SelectMany(vnic => vnic.Dns ?? []).Distinct(StringComparer.Ordinal).ToList();
        return servers.Count == 0 ? null : servers;
    }
}

/// <summary>Where a device is made.</summary>
internal sealed record DeviceContainerContext
{
    public required string Image { get; init; }
    public required string AgentId { get; init; }
    public required DateTimeOffset Now { get; init; }
    public bool WithUlimits { get; init; } = true;

    /// <summary>Whether its processes may choose real-time priorities.</summary>
    public bool WithRealTime { get; init; } = true;

    /// <summary>What runs the container; null is the engine's usual one.</summary>
    public string? OciRuntime { get; init; }

    public bool KeepRuntimeData { get; init; } = true;

    /// <summary>Places in networks of the engine; none where the monitor makes the interfaces.</summary>
    public IReadOnlyList<EngineLan> Lans { get; init; } = [];

    /// <summary>Whether the engine takes several networks when a container is made.</summary>
    public bool TakesSeveralNetworks { get; init; }
}

/// <summary>A place in a network of the engine.</summary>
/// <param name="Vnic">The virtual interface that it stands for.</param>
/// <param name="Network">Name of the network.</param>
/// <param name="Mac">Hardware address.</param>
/// <param name="Address">Address; null where the engine chooses.</param>
internal sealed record EngineLan(VnicRecord Vnic, string Network, string Mac, string? Address);
