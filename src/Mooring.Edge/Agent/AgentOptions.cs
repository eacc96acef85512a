namespace Mooring.Edge.Agent;

/// <summary>Who makes the network interfaces that devices have on the plant's network.</summary>
public enum LanMode
{
    /// <summary>The network monitor: several for each interface of the host, any hardware address, no address that nobody granted. The default.</summary>
    Monitor,

    /// <summary>The container engine, as with earlier agents.</summary>
    Engine,
}

/// <summary>When the image of a runtime is fetched from its registry.</summary>
public enum PullPolicy
{
    /// <summary>Each time a device is made; without a registry the local image has to do. The default, as with earlier agents.</summary>
    Always,

    /// <summary>Only when the engine does not have it.</summary>
    IfNotPresent,
}

/// <summary>What can be chosen about the agent.</summary>
public sealed record AgentOptions
{
    /// <summary>Address of the hub.</summary>
    public Uri Server { get; init; } = new("https://api.autonomylogic.com:3001");

    /// <summary>Folder of the state that outlives the agent. It is shared with the network monitor.</summary>
    public string DataFolder { get; init; } = "/var/orchestrator";

    /// <summary>The agent's certificate, PEM. Its common name is the agent's id.</summary>
    public string CertificateFile { get; init; } = "~/.mtls/client.crt";

    /// <summary>The certificate's key, PEM.</summary>
    public string KeyFile { get; init; } = "~/.mtls/client.key";

    /// <summary>Authorities that may sign the hub's certificate, PEM; null is the system's.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>The container engine's Unix socket.</summary>
    public string EngineSocket { get; init; } = "/var/run/docker.sock";

    /// <summary>The network monitor's Unix socket; null is <c>netmon.sock</c> in the data folder.</summary>
    public string? MonitorSocket { get; init; }

    /// <summary>Image of the runtimes, without tag.</summary>
    public string RuntimeImage { get; init; } = "ghcr.io/autonomy-logic/openplc-runtime";

    /// <summary>When that image is fetched.</summary>
    public PullPolicy Pull { get; init; } = PullPolicy.Always;

    /// <summary>Who makes the interfaces on the plant's network.</summary>
    public LanMode Lan { get; init; } = LanMode.Monitor;

    /// <summary>Range from which the private networks between agent and devices are cut.</summary>
    public string InternalPool { get; init; } = "10.213.0.0/16";

    /// <summary>Whether a new device gets a named volume, so that users and program of its runtime survive a new container. Default true.</summary>
    public bool KeepRuntimeData { get; init; } = true;

    /// <summary>Longest answer to a command for a runtime, in bytes. Default 8 MiB; a hub accepts 100 MB.</summary>
    public int MaxCommandAnswerBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Commands for one runtime at a time; more are refused. Default 8.</summary>
    public int MaxCommandsPerDevice { get; init; } = 8;

    /// <summary>
    /// Whether the first certificate that a device's container shows is kept, and a later other one of the same container is refused. Default
    /// false: runtimes sign their own, and any is accepted.
    /// </summary>
    public bool PinsRuntimes { get; init; }

    /// <summary>What the owner of the machine lets hubs do, JSON; null is <c>policy.json</c> in the data folder, where it is there.</summary>
    public string? PolicyFile { get; init; }

    /// <summary>
    /// How long a device that was given up is left alone before it is started once more; null is until an operator starts it. At least a minute.
    /// </summary>
    public TimeSpan? CrashRetry { get; init; }

    /// <summary>Whether times that are told to hubs have a zone. Default false: hubs of earlier agents read local times.</summary>
    public bool ZonedTimes { get; init; }

    /// <summary>What the engine runs devices with, by the name that it knows it by; null is its usual one.</summary>
    public string? OciRuntime { get; init; }

    /// <summary>Port of 127.0.0.1 that has a page for Prometheus; null, the default, is none.</summary>
    public int? MetricsPort { get; init; }

    /// <summary>Version that is told to hubs.</summary>
    public string Version { get; init; } = "unknown";

    /// <summary>The network monitor's socket.</summary>
    internal string EffectiveMonitorSocket => MonitorSocket ?? Path.Combine(DataFolder, "netmon.sock");
}
