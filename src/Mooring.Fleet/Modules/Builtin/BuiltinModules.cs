using Mooring.Fleet.Cars;

namespace Mooring.Fleet.Modules.Builtin;

/// <summary>The modules that are part of this program.</summary>
internal static class BuiltinModules
{
    internal static IServerModuleFactory Find(string name, int number) => name switch
    {
        DemoModule.Name => new DemoFactory(number),
        _ => throw new ModuleException($"there is no module builtin:{name}; allowed: builtin:{DemoModule.Name}"),
    };

    private sealed class DemoFactory(int number) : IServerModuleFactory
    {
        public int Number => number;

        public ValueTask<IServerModule> CreateAsync(ServerModuleContext context, CancellationToken cancellationToken) =>
            new(new DemoModule(context));
    }
}
