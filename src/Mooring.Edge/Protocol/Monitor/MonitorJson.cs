using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mooring.Edge.Protocol.Monitor;

/// <summary>How messages between agent and network monitor are written. Numbers may come as text: the first monitors took them from environment variables.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(MonitorCommand))]
[JsonSerializable(typeof(MonitorAnswer))]
[JsonSerializable(typeof(MonitorEvent))]
[JsonSerializable(typeof(InterfaceList))]
[JsonSerializable(typeof(InterfaceState))]
[JsonSerializable(typeof(SerialDeviceList))]
[JsonSerializable(typeof(SerialDeviceChange))]
[JsonSerializable(typeof(Lease))]
internal sealed partial class MonitorJson : JsonSerializerContext
{
    /// <summary>Longest line. Thousands of interfaces fit.</summary>
    public const int MaxLineBytes = 1024 * 1024;

    /// <summary>An event with its data.</summary>
    public static MonitorEvent Event<T>(string type, T data, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> typeInfo) =>
        new(type, JsonSerializer.SerializeToElement(data, typeInfo));
}
