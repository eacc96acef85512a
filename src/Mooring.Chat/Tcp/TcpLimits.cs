namespace Mooring.Chat.Tcp;

/// <summary>Bounds of the TCP transport.</summary>
internal static class TcpLimits
{
    /// <summary>Bytes of one read: some hundred commands, so that one busy client does not keep the others waiting.</summary>
    internal const int ReadBytes = 64 * 1024;

    /// <summary>Ready connections that are read before what they caused is sent.</summary>
    internal const int EventsPerTurn = 128;

    /// <summary>Connections waiting to be accepted.</summary>
    internal const int Backlog = 4096;

    /// <summary>Connections accepted in one turn, so that a flood of them does not starve those that are open.</summary>
    internal const int AcceptsPerTurn = 64;

    /// <summary>Pause of accepting after the process has run out of descriptors: without it the loop would spin.</summary>
    internal static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Time for a peer to close too after everything was sent to it.</summary>
    internal static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);
}
