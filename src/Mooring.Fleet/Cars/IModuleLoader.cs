using Mooring.Fleet.Configuration;

namespace Mooring.Fleet.Cars;

/// <summary>Makes the modules of cars. One slot belongs to one car; a library may serve many slots.</summary>
internal interface IModuleLoader
{
    /// <summary>Loads and initialises a module for a car. Commands are asked for after <see cref="ModuleSlot.Start"/>.</summary>
    /// <exception cref="ModuleException">The module cannot be used; the message is one line for a person.</exception>
    ValueTask<ModuleSlot> LoadAsync(ModuleOptions module, string company, string car, CancellationToken cancellationToken);
}
