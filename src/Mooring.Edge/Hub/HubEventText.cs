using System.Text.Json;
using Mooring.Kernel.Events;

namespace Mooring.Edge.Hub;

/// <summary>The hub's events in the words of the log of all systems.</summary>
internal static class HubEventText
{
    public static void Tell(OperatorEvents events, string kind, string agent, JsonElement details)
    {
        if (kind is "pull_progress" or "operation_progress" or "webrtc:ice") return;
        var severity = kind switch
        {
            "crash_loop" => EventSeverity.Alarm,
            "agent_offline" or "certificate_expiring" => EventSeverity.Warning,
            "operation_finished" when Word(details, "state") == "failed" => EventSeverity.Warning,
            _ => EventSeverity.Notice,
        };
        events.Publish("edge", agent, kind, severity, TextOf(kind, details));
    }

    private static string TextOf(string kind, JsonElement details) => kind switch
    {
        "agent_online" => $"connected from {Word(details, "address")}",
        "agent_offline" => $"gone: {Word(details, "reason")}",
        "operation_finished" => $"{Word(details, "topic")} of {Word(details, "device_id")} {Word(details, "state")} {Word(details, "error")}".TrimEnd(),
        "certificate_expiring" => $"its certificate ends {Word(details, "not_after")}",
        _ => details.GetRawText(),
    };

    private static string? Word(JsonElement details, string name) => details.TryGetProperty(name, out var value) ? value.ToString() : null;
}
