using System.Diagnostics.Tracing;

namespace Mooring.Cli.Telemetry;

/// <summary>Hears what the exporter only says to event listeners: that the collector cannot be reached.</summary>
internal sealed class OtlpFailures(Action<string> report) : EventListener
{
    private const string Source = "OpenTelemetry-Exporter-OpenTelemetryProtocol";

    // The base class tells of existing sources before this constructor's own part has run; they are asked for afterwards.
    private readonly Action<string>? _report = report;

    internal void Start()
    {
        foreach (var source in EventSource.GetSources()) OnEventSourceCreated(source);
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (_report is not null && eventSource.Name == Source) EnableEvents(eventSource, EventLevel.Warning);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventSource.Name == Source) _report?.Invoke(ReasonOf(eventData));
    }

    /// <summary>The exporter's words end in a whole exception: its first line says it all.</summary>
    private static string ReasonOf(EventWrittenEventArgs failure)
    {
        var said = failure.Payload is { Count: > 0 } payload ? payload[^1] as string : failure.Message;
        var line = (said ?? "").AsSpan().Trim();
        var end = line.IndexOfAny('\r', '\n');
        if (end >= 0) line = line[..end];
        var inner = line.IndexOf(" ---> ");
        if (inner >= 0) line = line[..inner];
        var exception = line.IndexOf("Exception: ");
        return (exception >= 0 ? line[(exception + "Exception: ".Length)..] : line).ToString();
    }
}
