using System.Collections.Concurrent;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Tests.Cars;

namespace Mooring.Fleet.Tests.Servers;

/// <summary>Gives each car fake modules and remembers them.</summary>
internal sealed class FakeLoader : IModuleLoader
{
    public ConcurrentDictionary<(string Car, int Number), FakeModule> Modules { get; } = new();

    /// <summary>Libraries that cannot be loaded.</summary>
    public HashSet<string> Broken { get; } = [];

    public ValueTask<ModuleSlot> LoadAsync(ModuleOptions module, string company, string car, CancellationToken cancellationToken)
    {
        if (Broken.Contains(module.Library)) throw new ModuleException($"module {module.Number} ({module.Library}): is broken");
        var slot = new FakeModule(module.Number);
        Modules[(car, module.Number)] = slot;
        return ValueTask.FromResult<ModuleSlot>(slot);
    }
}
