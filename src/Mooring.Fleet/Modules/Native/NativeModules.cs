using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules.Calls;
using Mooring.Fleet.Modules.Polling;

namespace Mooring.Fleet.Modules.Native;

/// <summary>Makes native modules of cars. A file that several cars name is loaded once.</summary>
internal sealed class NativeModules(ModuleRuntime runtime) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, NativeHome> _homes = new(StringComparer.Ordinal);
    private readonly CommandPolling _polling = new(runtime.Polling, runtime.Limits, runtime.Time);

    internal async Task<ModuleSlot> LoadAsync(ModuleOptions module, string company, string car, CancellationToken cancellationToken)
    {
        // Foreign code from the first line on: constructors of a library may block as its init may.
        var creating = Task.Run(() => Create(module, company, car), CancellationToken.None);
        try
        {
            return await creating.WaitAsync(runtime.Limits.InitMax, runtime.Time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            _ = DestroyWhenCreatedAsync(creating);
            if (e is OperationCanceledException) throw;
            throw new ModuleException($"{module.Library} did not start within {runtime.Limits.InitMax.TotalSeconds} s");
        }
    }

    public void Dispose() => _polling.Dispose();

    private NativeSlot Create(ModuleOptions module, string company, string car)
    {
        var home = GetHome(Path.GetFullPath(module.Library));
        if (home.Library.Number != module.Number)
            throw new ModuleException($"{home.Library.Path} says that it is module {home.Library.Number}");
        var context = NativeContext.Create(home.Library, ModuleParameters.Build(module.Parameters, company, car))
            ?? throw new ModuleException($"{home.Library.Path} refused its configuration (init returned NULL)");
        return new NativeSlot(context, home, module.PollTimeout, car, runtime);
    }

    private NativeHome GetHome(string path)
    {
        lock (_lock)
        {
            if (_homes.TryGetValue(path, out var home)) return home;
            var library = ModuleLibrary.Load(path);
            var threads = new CallThreads($"module {library.Number}", runtime.Limits.CallThreads);
            return _homes[path] = new NativeHome(library, threads, _polling, _polling.CreateRounds());
        }
    }

    private static async Task DestroyWhenCreatedAsync(Task<NativeSlot> creating)
    {
        try
        {
            await (await creating).StopAsync();
        }
        catch (ModuleException)
        {
            // It would have been refused anyway.
        }
    }
}
