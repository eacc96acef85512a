using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules.Calls;
using Mooring.Fleet.Modules.Managed;
using Mooring.Fleet.Modules.Native;

namespace Mooring.Fleet.Modules;

/// <summary>Makes modules of every kind: what a module is, its library's name tells.</summary>
internal sealed class ModuleLoader : IModuleLoader, IDisposable
{
    private readonly NativeModules _native;
    private readonly ManagedModules _managed;

    internal ModuleLoader(PollingOptions polling, ModuleLimits limits, TimeProvider time, ILogger logger)
    {
        var runtime = new ModuleRuntime(polling, limits, time, logger);
        _native = new NativeModules(runtime);
        _managed = new ManagedModules(runtime);
        // Modules that hang for the first time may take that many threads of the pool; it must not notice.
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + limits.SharedCalls), completions);
    }

    public async ValueTask<ModuleSlot> LoadAsync(ModuleOptions module, string company, string car, CancellationToken cancellationToken)
    {
        try
        {
            return ManagedModules.IsManaged(module.Library)
                ? await _managed.LoadAsync(module, company, car, cancellationToken)
                : await _native.LoadAsync(module, company, car, cancellationToken);
        }
        catch (ModuleException e)
        {
            throw new ModuleException($"module {module.Number}: {e.Message}");
        }
    }

    public void Dispose() => _native.Dispose();
}
