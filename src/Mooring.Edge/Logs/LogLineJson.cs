using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mooring.Edge.Logs;

/// <summary>A line of the log as a JSON object, with the member names of the console's. Apart from text lines, so that nothing of it is loaded for those.</summary>
internal static class LogLineJson
{
    /// <returns>The object, in one line: line breaks in messages are escaped.</returns>
    public static string Write(in LogLine line)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            writer.WriteString("Timestamp", line.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            writer.WriteNumber("EventId", line.EventId);
            writer.WriteString("LogLevel", line.Level.ToString());
            writer.WriteString("Category", line.Category);
            writer.WriteString("Message", line.Message);
            if (line.Exception is not null) writer.WriteString("Exception", line.Exception);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
