namespace Mooring.Fleet.VirtualCars;

/// <summary>What ended a session, as far as it matters for the next one.</summary>
internal enum SessionEnd
{
    /// <summary>Something that a gateway does not put up with: it tries again after a pause.</summary>
    Fault,

    /// <summary>The server said that it drops the session: the next status begins another one.</summary>
    Note,
}

/// <summary>The session cannot go on.</summary>
internal sealed class SessionOverException(SessionEnd end, string reason) : Exception(reason)
{
    internal SessionEnd End => end;
}
