using System.Text.Json.Serialization;
using Mooring.Fleet.Cars;

namespace Mooring.Fleet.Api;

/// <summary>The whole fleet in a few numbers.</summary>
internal sealed record FleetView(
    string Company, string Broker, int BrokerConnections, string? BrokerProblem, int Cars, IReadOnlyDictionary<string, int> CarsByState);

/// <summary>One line of the list of cars.</summary>
internal sealed record CarLine(
    string Name, bool Enabled, [property: JsonConverter(typeof(JsonStringEnumConverter<CarState>))] CarState State, string? Session, int Devices, DateTimeOffset? LastMessageAt, string? LastError,
    DateTimeOffset? LastErrorAt);

/// <summary>All about one car.</summary>
internal sealed record CarView(
    CarLine Car, DateTimeOffset? SessionSince, IReadOnlyList<DeviceView> Devices, IReadOnlyList<int> Modules, CountersView Counters,
    int OutstandingCommands, IReadOnlyList<SessionView> Sessions);

/// <summary>A connected device.</summary>
internal sealed record DeviceView(int Module, uint Type, string Role, string Name);

/// <summary>What happened to a car since the server started.</summary>
internal sealed record CountersView(
    long Sessions, long SessionsFailed, long StatusesReceived, long StatusesAnswered, long StatusesIgnored, long CommandsSent,
    long CommandsDelivered, long CommandsUndelivered, long MessagesRefused, long MessagesDropped);

/// <summary>An ended session or connect sequence.</summary>
internal sealed record SessionView(string Session, DateTimeOffset Since, DateTimeOffset Until, string Reason);

/// <summary>What may be changed on a car.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CarChange(bool? Enabled);

/// <summary>A command for a device of a car. The data is <see cref="Text"/>, or <see cref="Base64"/> for bytes that are no text.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CommandRequest(int Module, uint Type, string? Role, string? Name, uint Priority, string? Text, string? Base64);

/// <summary>What became of the command.</summary>
/// <param name="Result">delivered, refused, dropped; or pending: it still waits for a session or an answer.</param>
internal sealed record CommandAnswer(string Result);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FleetView))]
[JsonSerializable(typeof(CarLine))]
[JsonSerializable(typeof(IReadOnlyList<CarLine>))]
[JsonSerializable(typeof(CarView))]
[JsonSerializable(typeof(IReadOnlyList<SessionView>))]
[JsonSerializable(typeof(CarChange))]
[JsonSerializable(typeof(CommandRequest))]
[JsonSerializable(typeof(CommandAnswer))]
internal sealed partial class FleetJson : JsonSerializerContext;
