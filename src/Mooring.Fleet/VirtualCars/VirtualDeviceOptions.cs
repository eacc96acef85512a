using Mooring.Kernel.Options;

namespace Mooring.Fleet.VirtualCars;

/// <summary>One device of every virtual car.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Role">Its role; not empty, and no other device of its module and kind has it.</param>
public sealed record VirtualDeviceOptions(VirtualDeviceKind Kind, string Role)
{
    /// <summary>Number of the module that it belongs to; 1000 is the number of examples.</summary>
    public int Module { get; init; } = 1000;

    /// <summary>Its name, for people.</summary>
    public string Name { get; init; } = Kind.ToString();

    /// <summary>Bytes that an <see cref="VirtualDeviceKind.Echo"/> sends; at least 8, which are a number.</summary>
    public int PayloadBytes { get; init; } = 64;

    internal void Validate(OptionsErrors errors, string key)
    {
        errors.Require(Enum.IsDefined(Kind), $"{key}.kind", Kind, "use Button, Drive or Echo");
        errors.Require(Role.Length > 0, $"{key}.role", Role, "must not be empty");
        errors.RequireInRange($"{key}.module", Module, 0, int.MaxValue);
        errors.RequireInRange($"{key}.payloadBytes", PayloadBytes, 8, 1 << 20);
    }
}
