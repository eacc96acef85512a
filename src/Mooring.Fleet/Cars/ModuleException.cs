namespace Mooring.Fleet.Cars;

/// <summary>A module cannot be used: not a library, symbols missing, another number, refused its configuration.</summary>
internal sealed class ModuleException(string message) : Exception(message);
