using System.Text.Json;

namespace Mooring.Fleet.VirtualCars.Devices;

/// <summary>Reads commands such as <c>{"charge": true}</c>.</summary>
internal static class DeviceOrder
{
    /// <returns>Null when the command does not say.</returns>
    internal static bool? Read(ReadOnlySpan<byte> command, ReadOnlySpan<byte> name)
    {
        var reader = new Utf8JsonReader(command);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(name) && reader.Read())
                    return reader.TokenType switch { JsonTokenType.True => true, JsonTokenType.False => false, _ => null };
            }
        }
        catch (JsonException)
        {
            // Not for this device.
        }
        return null;
    }
}
