namespace Mooring.Edge.NetMon;

/// <summary>Bounds of the network monitor.</summary>
internal static class NetMonLimits
{
    /// <summary>Connections at a time. An agent needs one, an operator's look another.</summary>
    public const int Clients = 16;

    /// <summary>Lines that wait for a client; one that does not read is dropped, and gets everything anew when it comes back.</summary>
    public const int LinesPerClient = 1_000;

    /// <summary>Commands of one client that run at a time; more wait in its socket.</summary>
    public const int CommandsPerClient = 16;

    /// <summary>Longest time for one run of a program such as ip.</summary>
    public static readonly TimeSpan Program = TimeSpan.FromSeconds(10);

    /// <summary>Text that is kept of what a program wrote.</summary>
    public const int ProgramOutput = 16 * 1024;

    /// <summary>DHCP clients at a time.</summary>
    public const int DhcpClients = 1_000;
}
