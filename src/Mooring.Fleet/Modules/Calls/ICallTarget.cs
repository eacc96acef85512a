namespace Mooring.Fleet.Modules.Calls;

/// <summary>Makes the calls of a <see cref="CallQueue"/>; never two at a time.</summary>
internal interface ICallTarget
{
    /// <summary>Whether a call would have to wait, for instance for commands that are being fetched.</summary>
    bool IsBusy { get; }

    /// <summary>Calls the module; never throws.</summary>
    ValueTask<int> CallAsync(ModuleCall call);

    /// <summary>The module does not return, and its queue is full. Must not block.</summary>
    void OnDropped(in ModuleCall call);

    /// <summary>A call takes too long; its car goes on without it.</summary>
    void OnOverdue();

    /// <summary>All calls have been made that waited for one that took too long. Must not block.</summary>
    void OnRecovered();
}
