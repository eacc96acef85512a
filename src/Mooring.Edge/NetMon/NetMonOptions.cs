namespace Mooring.Edge.NetMon;

/// <summary>What can be chosen about the network monitor.</summary>
public sealed record NetMonOptions
{
    /// <summary>Folder that is shared with the agent: socket and leases lie there.</summary>
    public string DataFolder { get; init; } = "/var/orchestrator";

    /// <summary>The Unix socket to listen on; null is <c>netmon.sock</c> in the data folder.</summary>
    public string? SocketPath { get; init; }

    /// <summary>Where the kernel's device manager puts links to serial devices.</summary>
    public string SerialFolder { get; init; } = "/dev/serial/by-id";

    /// <summary>Where device nodes lie.</summary>
    internal string DeviceFolder { get; init; } = "/dev";

    /// <summary>Where the kernel describes serial ports.</summary>
    internal string TtyFolder { get; init; } = "/sys/class/tty";

    /// <summary>The effective socket.</summary>
    internal string EffectiveSocket => SocketPath ?? Path.Combine(DataFolder, "netmon.sock");

    /// <summary>Where leases lie.</summary>
    internal string LeaseFolder => Path.Combine(DataFolder, "dhcp");
}
