using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules.Managed;
using Mooring.Fleet.Modules.Native;

namespace Mooring.Fleet.Modules;

/// <summary>Whether modules could be used, without the start of any: their init may already call other machines.</summary>
internal static class ModuleCheck
{
    /// <summary>One line for each module that cannot be used.</summary>
    internal static IReadOnlyList<string> FaultsOf(IEnumerable<ModuleOptions> modules) =>
        [.. modules.Select(m => (m.Number, m.Library)).Distinct().Select(m => FaultOf(m.Number, m.Library)).OfType<string>()];

    private static string? FaultOf(int number, string library)
    {
        try
        {
            var actual = ManagedModules.IsManaged(library) ? ManagedModules.FindFactory(library, number).Number : ModuleLibrary.Load(library).Number;
            return actual == number ? null : $"module {number}: {library} says that it is module {actual}";
        }
        catch (ModuleException e)
        {
            return $"module {number}: {e.Message}";
        }
    }
}
