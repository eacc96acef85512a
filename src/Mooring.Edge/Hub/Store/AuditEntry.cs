namespace Mooring.Edge.Hub.Store;

/// <summary>Who did what, and what became of it. Never with what was sent: it may hold passwords.</summary>
internal sealed record AuditEntry(
    DateTimeOffset At, string Who, string Source, string Agent, string? Device, string Action, long? CorrelationId, string Result, long Milliseconds);
