using Microsoft.Extensions.Logging;

namespace Mooring.Testing;

/// <summary>One line that the code under test logged.</summary>
public sealed record LogEntry(LogLevel Level, EventId Event, string Category, string Message, Exception? Exception);
