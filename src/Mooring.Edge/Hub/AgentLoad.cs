namespace Mooring.Edge.Hub;

/// <summary>What a heartbeat says about a machine.</summary>
/// <param name="Version">Version of the agent.</param>
/// <param name="Cpu">Load of its processors in percent.</param>
/// <param name="Memory">Memory in use, in GiB.</param>
/// <param name="MemoryTotal">Memory that there is, in GiB.</param>
/// <param name="Disk">Disk in use, in GiB.</param>
/// <param name="DiskTotal">Disk that there is, in GiB.</param>
public sealed record AgentLoad(string? Version, double Cpu, double Memory, double MemoryTotal, double Disk, double DiskTotal);
