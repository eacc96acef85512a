using System.Text.Json.Serialization;
using Mooring.Kernel.Events;
using Mooring.Web.Readings;

namespace Mooring.Web.Rows;

/// <summary>A figure: a number, or how much a count grows in a second.</summary>
internal readonly record struct FigureRow(string Name, double Value);

/// <summary>A car, with rates in place of counts.</summary>
internal readonly record struct CarRow(
    string Name, bool IsEnabled, string State, string? Session, int Devices, double Statuses, double Commands, string? Problem);

/// <summary>A tunnel, with rates.</summary>
internal readonly record struct TunnelRow(
    string Id, string Url, string Protocol, string Account, string Client, DateTimeOffset CreatedAt, long Total, double Requests, double Bytes);

/// <summary>A room, with the rate of its messages.</summary>
internal readonly record struct RoomRow(string Name, string Topic, int Members, int Paused, bool IsLocked, long Last, double Messages);

/// <summary>A session of the broker, with rates.</summary>
internal readonly record struct ClientRow(
    string Id, string? User, string? Address, string State, int Subscriptions, int Waiting, double Received, double Sent);

/// <summary>Something that happened.</summary>
internal sealed record EventRow(long Number, DateTimeOffset At, string System, string Subject, string Kind, string Severity, string Text)
{
    public static EventRow Of(OperatorEvent told) => new(
        told.Number, told.At, told.System, told.Subject, told.Kind, told.Severity.ToString().ToLowerInvariant(), told.Text);
}

/// <summary>The last minutes of the figures.</summary>
/// <param name="Period">Seconds between two points.</param>
/// <param name="Figures">Points by figure, the oldest first.</param>
internal sealed record HistoryView(double Period, IReadOnlyDictionary<string, double[]> Figures);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(SystemReading))]
[JsonSerializable(typeof(FigureRow))]
[JsonSerializable(typeof(CarRow))]
[JsonSerializable(typeof(AgentReading))]
[JsonSerializable(typeof(OperationReading))]
[JsonSerializable(typeof(TunnelRow))]
[JsonSerializable(typeof(RequestReading))]
[JsonSerializable(typeof(RoomRow))]
[JsonSerializable(typeof(ClientRow))]
[JsonSerializable(typeof(EventRow))]
[JsonSerializable(typeof(HistoryView))]
internal sealed partial class WebJson : JsonSerializerContext;
