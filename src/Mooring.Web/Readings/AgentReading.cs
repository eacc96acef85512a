namespace Mooring.Web.Readings;

/// <summary>An edge agent.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Presence"><c>online</c>, <c>stale</c> or <c>offline</c>.</param>
public readonly record struct AgentReading(string Id, string Name, string Presence)
{
    /// <summary>Version of its program.</summary>
    public string? Version { get; init; }

    /// <summary>Load of its processors, in percent.</summary>
    public double Cpu { get; init; }

    /// <summary>Memory in use, in GiB.</summary>
    public double Memory { get; init; }

    /// <summary>Memory that there is, in GiB.</summary>
    public double MemoryTotal { get; init; }

    /// <summary>Disk in use, in GiB.</summary>
    public double Disk { get; init; }

    /// <summary>Disk that there is, in GiB.</summary>
    public double DiskTotal { get; init; }
}
