namespace Mooring.Chat.Rooms;

/// <summary>Where a session's bytes go. Calls come one at a time: the session sees to that.</summary>
internal interface ISessionOutput
{
    /// <summary>
    /// Writes what the transport takes without waiting; returns how many bytes it took. A transport that is broken takes all and throws
    /// nothing: its reading side learns what happened. The bytes never change, so the transport may keep them.
    /// </summary>
    int TryWrite(ReadOnlyMemory<byte> bytes);

    /// <summary>Asks for one call of <see cref="Session.Resume"/> when there is room again, which may come before this returns.</summary>
    void ResumeWhenWritable();

    /// <summary>Everything has been written and the session has ended: close in order, or cut when the peer does not follow.</summary>
    void Finish();

    /// <summary>Cuts the connection now.</summary>
    void Abort();
}
