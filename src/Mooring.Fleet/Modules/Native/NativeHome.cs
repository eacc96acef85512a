using Mooring.Fleet.Modules.Calls;
using Mooring.Fleet.Modules.Polling;

namespace Mooring.Fleet.Modules.Native;

/// <summary>A library and the threads that are its own.</summary>
internal sealed record NativeHome(ModuleLibrary Library, CallThreads Threads, CommandPolling Polling, PollRounds Rounds);
