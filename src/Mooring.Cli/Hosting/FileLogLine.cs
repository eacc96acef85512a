using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Mooring.Cli.Hosting;

/// <summary>An entry of the log as one line of a file: for people, or as a JSON object with the names of the console's.</summary>
internal sealed class FileLogLine(bool isJson)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal byte[] Encode(DateTimeOffset at, LogLevel level, string category, EventId id, string text, Exception? exception)
    {
        var time = at.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        return isJson
            ? EncodeJson(time, level, category, id, text, exception)
            : Encoding.UTF8.GetBytes($"{time} {NameOf(level)} {category}[{id.Id.ToString(CultureInfo.InvariantCulture)}] {OneLine(text)}{(exception is null ? "" : " " + OneLine(exception.ToString()))}\n");
    }

    private static byte[] EncodeJson(string time, LogLevel level, string category, EventId id, string text, Exception? exception)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("Timestamp", time);
            json.WriteNumber("EventId", id.Id);
            json.WriteString("LogLevel", level.ToString());
            json.WriteString("Category", category);
            json.WriteString("Message", text);
            if (exception is not null) json.WriteString("Exception", exception.ToString());
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    // What a client has sent must not look like a line of the log.
    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}
