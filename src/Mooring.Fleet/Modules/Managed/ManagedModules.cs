using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules.Builtin;
using Mooring.Fleet.Modules.Calls;

namespace Mooring.Fleet.Modules.Managed;

/// <summary>Makes C# modules of cars: from assemblies, and those that are part of this program.</summary>
internal sealed class ManagedModules(ModuleRuntime runtime)
{
    /// <summary>What the names of modules begin with that are part of this program.</summary>
    internal const string BuiltinPrefix = "builtin:";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Home> _homes = new(StringComparer.Ordinal);

    internal static bool IsManaged(string library) =>
        library.StartsWith(BuiltinPrefix, StringComparison.Ordinal) || library.EndsWith(".dll", StringComparison.OrdinalIgnoreCase);

    internal async Task<ModuleSlot> LoadAsync(ModuleOptions module, string company, string car, CancellationToken cancellationToken)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var creating = Task.Run(() => CreateAsync(module, company, car, late.Token), CancellationToken.None);
        try
        {
            return await creating.WaitAsync(runtime.Limits.InitMax, runtime.Time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            await late.CancelAsync();
            _ = DisposeWhenCreatedAsync(creating);
            cancellationToken.ThrowIfCancellationRequested();
            throw new ModuleException($"{module.Library} did not start within {runtime.Limits.InitMax.TotalSeconds} s");
        }
        catch (Exception e) when (e is not ModuleException)
        {
            var reason = e is ArgumentException ? $"refused its configuration: {e.Message}" : $"failed at its start: {e.GetType().Name}: {e.Message}";
            throw new ModuleException($"{module.Library} {reason.ReplaceLineEndings(" ")}");
        }
    }

    private async Task<ManagedSlot> CreateAsync(ModuleOptions module, string company, string car, CancellationToken cancellationToken)
    {
        var home = GetHome(module);
        if (home.Factory.Number != module.Number)
            throw new ModuleException($"{module.Library} says that it is module {home.Factory.Number}");
        var parameters = ModuleParameters.Build(module.Parameters, company, car)
            .GroupBy(p => p.Key).ToDictionary(g => g.Key, g => g.Last().Value, StringComparer.Ordinal);
        var context = new ServerModuleContext(module.Number, company, car, parameters, runtime.Logger);
        return new ManagedSlot(await home.Factory.CreateAsync(context, cancellationToken), context, home.Threads, runtime);
    }

    private Home GetHome(ModuleOptions module)
    {
        var isBuiltin = module.Library.StartsWith(BuiltinPrefix, StringComparison.Ordinal);
        // Those of this program take any number, so they have a home for each.
        var key = isBuiltin ? $"{module.Library} {module.Number}" : Path.GetFullPath(module.Library);
        lock (_lock)
        {
            if (_homes.TryGetValue(key, out var home)) return home;
            var factory = FindFactory(module.Library, module.Number);
            return _homes[key] = new Home(factory, new CallThreads($"module {module.Number}", runtime.Limits.CallThreads));
        }
    }

    /// <exception cref="ModuleException">There is no such module, or the assembly has none.</exception>
    internal static IServerModuleFactory FindFactory(string library, int number) => library.StartsWith(BuiltinPrefix, StringComparison.Ordinal)
        ? BuiltinModules.Find(library[BuiltinPrefix.Length..], number)
        : ModuleAssembly.Load(Path.GetFullPath(library));

    private static async Task DisposeWhenCreatedAsync(Task<ManagedSlot> creating)
    {
        try
        {
            await (await creating).StopAsync();
        }
        catch (Exception)
        {
            // It would have been refused anyway.
        }
    }

    private sealed record Home(IServerModuleFactory Factory, CallThreads Threads);
}
