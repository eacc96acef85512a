namespace Mooring.Edge.Agent.Engine;

// What the engine's API (docs.docker.com, "Engine API") sends and takes; only the members that are used here.

/// <summary>A container to create.</summary>
internal sealed record ContainerCreation
{
    public required string Image { get; init; }
    public IReadOnlyList<string>? Cmd { get; init; }
    public IReadOnlyList<string>? Env { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>MAC address of the network that <see cref="HostSettings.NetworkMode"/> names; engines before 1.44 know no other place.</summary>
    public string? MacAddress { get; init; }

    public HostSettings? HostConfig { get; init; }
    public NetworkingSettings? NetworkingConfig { get; init; }
}

/// <summary>Settings of a container that concern the host.</summary>
internal sealed record HostSettings
{
    public string? NetworkMode { get; init; }
    public RestartPolicy? RestartPolicy { get; init; }
    public IReadOnlyList<string>? CapAdd { get; init; }
    public IReadOnlyList<Ulimit>? Ulimits { get; init; }
    public IReadOnlyList<string>? DeviceCgroupRules { get; init; }
    public IReadOnlyList<string>? Dns { get; init; }
    public IReadOnlyList<string>? Binds { get; init; }
    public LogSettings? LogConfig { get; init; }
    public string? PidMode { get; init; }
    public bool? Privileged { get; init; }
    public string? Runtime { get; init; }

    /// <summary>Bytes; 0 is no limit.</summary>
    public long Memory { get; init; }

    /// <summary>Billionths of a processor; 0 is no limit.</summary>
    public long NanoCpus { get; init; }

    /// <summary>Microseconds of processor time in each <see cref="CpuPeriod"/>; 0 is no limit.</summary>
    public long CpuQuota { get; init; }

    /// <summary>Microseconds.</summary>
    public long CpuPeriod { get; init; }
}

internal sealed record RestartPolicy(string Name, int MaximumRetryCount = 0);

internal sealed record Ulimit(string Name, long Soft, long Hard);

internal sealed record LogSettings(string Type, IReadOnlyDictionary<string, string> Config);

internal sealed record NetworkingSettings(IReadOnlyDictionary<string, EndpointSettings> EndpointsConfig);

/// <summary>A container's place in a network.</summary>
internal sealed record EndpointSettings
{
    public EndpointAddresses? IPAMConfig { get; init; }
    public string? MacAddress { get; init; }
    public string? IPAddress { get; init; }
    public string? Gateway { get; init; }
    public string? NetworkID { get; init; }
}

internal sealed record EndpointAddresses(string? IPv4Address);

internal sealed record ContainerCreated(string Id, IReadOnlyList<string>? Warnings);

/// <summary>What the engine tells about one container.</summary>
internal sealed record ContainerDetails
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public string? Image { get; init; }
    public int RestartCount { get; init; }
    public required ContainerState State { get; init; }
    public ContainerSettings? Config { get; init; }
    public HostSettings? HostConfig { get; init; }
    public ContainerNetworks? NetworkSettings { get; init; }
    public IReadOnlyList<ContainerMount>? Mounts { get; init; }
}

internal sealed record ContainerMount(string? Type, string? Name, string? Source, string? Destination);

internal static class ContainerMounts
{
    /// <summary>Whether a named volume is among the mounts.</summary>
    public static bool HasVolume(this IReadOnlyList<ContainerMount>? mounts, string name) => mounts?.Any(mount => mount.Name == name) == true;
}

internal sealed record ContainerSettings
{
    public string? Image { get; init; }
    public IReadOnlyList<string>? Env { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

/// <summary>The state of a container, in the engine's words.</summary>
internal sealed record ContainerState
{
    /// <summary>created, running, paused, restarting, removing, exited or dead.</summary>
    public string Status { get; init; } = "";

    public bool Running { get; init; }

    /// <summary>Process id in the host's numbering; 0 when it does not run.</summary>
    public int Pid { get; init; }

    public int ExitCode { get; init; }
    public string? Error { get; init; }

    /// <summary>ISO 8601 with up to nine digits of fractions; the year 1 when it never ran.</summary>
    public string? StartedAt { get; init; }

    public ContainerHealth? Health { get; init; }
}

internal sealed record ContainerHealth(string Status);

internal sealed record ContainerNetworks(IReadOnlyDictionary<string, EndpointSettings>? Networks);

/// <summary>One line of the list of containers.</summary>
internal sealed record ContainerSummary
{
    public required string Id { get; init; }
    public IReadOnlyList<string> Names { get; init; } = [];
    public string State { get; init; } = "";
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
    public ContainerNetworks? NetworkSettings { get; init; }

    /// <summary>The first name without the slash that the engine puts before it.</summary>
    public string Name => Names is [var first, ..] ? first.TrimStart('/') : Id;
}

internal sealed record LimitsUpdate(long? NanoCpus, long? Memory, long? MemorySwap);

internal sealed record RestartPolicyUpdate(RestartPolicy RestartPolicy);

/// <summary>A program to run in a container.</summary>
internal sealed record ExecCreation
{
    public required IReadOnlyList<string> Cmd { get; init; }
    public string? User { get; init; }
    public bool AttachStdout { get; init; } = true;
    public bool AttachStderr { get; init; } = true;
}

internal sealed record ExecCreated(string Id);

internal sealed record ExecStart(bool Detach, bool Tty);

internal sealed record ExecDetails(bool Running, int? ExitCode);
