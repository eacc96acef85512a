using System.Diagnostics.Metrics;

namespace Mooring.Chat.Rooms;

/// <summary>The hub's counters as instruments.</summary>
internal sealed class ChatMetrics : IDisposable
{
    internal ChatMetrics(ChatHub hub)
    {
        var counters = hub.Counters;
        Meter.CreateObservableUpDownCounter(
            "mooring.chat.sessions", () => Enum.GetValues<SessionTransport>().Select(transport => new Measurement<int>(
                counters.Open(transport), new KeyValuePair<string, object?>("transport", transport.ToString().ToLowerInvariant()))),
            "{session}", "Open sessions");
        Meter.CreateObservableUpDownCounter("mooring.chat.rooms", () => hub.Rooms().Length, "{room}", "Rooms");
        Meter.CreateObservableUpDownCounter("mooring.chat.queue", () => hub.Sessions().Sum(session => session.PendingBytes), "By", "Bytes that wait for clients");
        Meter.CreateObservableCounter("mooring.chat.messages", () => counters.MessagesIn, "{message}", "Messages accepted");
        Meter.CreateObservableCounter("mooring.chat.deliveries", () => counters.Deliveries, "{delivery}", "Messages handed to members");
        Meter.CreateObservableCounter("mooring.chat.dropped", () => counters.MessagesDropped, "{message}", "Messages skipped for slow members");
        Meter.CreateObservableCounter("mooring.chat.rate_limited", () => counters.RateLimitHits, "{message}", "Messages refused because of a rate");
        Meter.CreateObservableCounter("mooring.chat.refused", () => counters.ConnectionsRefused, "{connection}", "Connections refused because the server was full");
        Meter.CreateObservableCounter(
            "mooring.chat.closed", () => Enum.GetValues<CloseReason>().Select(reason => new Measurement<long>(
                counters.ClosedFor(reason), new KeyValuePair<string, object?>("reason", reason.Word()))),
            "{session}", "Sessions closed, by reason");
    }

    /// <summary>The meter; several servers in one process have one each.</summary>
    internal Meter Meter { get; } = new("Mooring.Chat");

    public void Dispose() => Meter.Dispose();
}
