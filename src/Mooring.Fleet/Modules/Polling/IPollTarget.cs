namespace Mooring.Fleet.Modules.Polling;

/// <summary>Something that gives commands when it is asked.</summary>
internal interface IPollTarget
{
    /// <summary>Asks once, and waits in it for up to <paramref name="timeout"/>; never throws.</summary>
    /// <returns>How long it should be left alone.</returns>
    TimeSpan Poll(TimeSpan timeout);

    /// <summary>It blocks in spite of a time-out of 0.</summary>
    void OnBlocks();
}
