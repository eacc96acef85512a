using Microsoft.Extensions.Logging;

namespace Mooring.Edge.Logs;

/// <summary>What was logged, on its way to the disk.</summary>
/// <param name="At">When.</param>
/// <param name="Level">How bad it is.</param>
/// <param name="Category">Who logged it, with its namespace.</param>
/// <param name="EventId">The stable number of the event.</param>
/// <param name="Message">The message, as the console has it.</param>
/// <param name="Exception">What was thrown, with its trace; null when nothing was.</param>
internal readonly record struct LogLine(DateTimeOffset At, LogLevel Level, string Category, int EventId, string Message, string? Exception);
