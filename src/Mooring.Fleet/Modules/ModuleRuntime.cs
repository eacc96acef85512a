using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules.Calls;

namespace Mooring.Fleet.Modules;

/// <summary>What all modules of a server share.</summary>
internal sealed class ModuleRuntime(PollingOptions polling, ModuleLimits limits, TimeProvider time, ILogger logger)
{
    internal PollingOptions Polling => polling;

    internal ModuleLimits Limits => limits;

    internal TimeProvider Time => time;

    internal ILogger Logger => logger;

    internal SharedCalls SharedCalls { get; } = new(limits.SharedCalls);
}
