using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Mooring.Fleet.Logging;

/// <summary>One entry of the log, as text in the original's layout or as JSON.</summary>
internal readonly record struct LogLine(
    DateTimeOffset At, LogLevel Level, int Id, string Category, string Message, IReadOnlyList<KeyValuePair<string, object?>> Fields,
    Exception? Exception)
{
    private const string TemplateField = "{OriginalFormat}";

    private string LevelName => Level switch
    {
        LogLevel.Trace or LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO",
        LogLevel.Warning => "WARNING",
        LogLevel.Error => "ERROR",
        _ => "CRITICAL",
    };

    /// <summary>[time] [external-server] [LEVEL] TAB [category] TAB (car) TAB message</summary>
    internal void WriteText(IBufferWriter<byte> output)
    {
        // "Car NAME: " is told by the column already; line breaks would make one entry look like two.
        var (car, message) = ("server", Message);
        if (Field("Car") is { } name)
        {
            car = name.Length == 0 ? "undefined car" : name;
            if (message.StartsWith($"Car {name}: ", StringComparison.Ordinal)) message = message[(name.Length + 6)..];
        }
        message = message.ReplaceLineEndings(" ");
        var fault = Exception is null ? "" : $"\n{Exception}";
        Encoding.UTF8.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"[{At:yyyy-MM-dd HH:mm:ss.fff}] [external-server] [{LevelName}]\t [{Category}]\t({car})\t{message}{fault}\n"),
            output);
    }

    internal void WriteJson(IBufferWriter<byte> output)
    {
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("time", At);
            json.WriteString("level", LevelName);
            json.WriteNumber("event", Id);
            json.WriteString("source", Category);
            foreach (var (name, value) in Fields)
                if (name != TemplateField) json.WriteString(JsonNamingPolicy.CamelCase.ConvertName(name), Convert.ToString(value, CultureInfo.InvariantCulture));
            json.WriteString("message", Message);
            if (Exception is not null) json.WriteString("exception", Exception.ToString());
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    private string? Field(string name)
    {
        foreach (var field in Fields)
            if (field.Key == name) return Convert.ToString(field.Value, CultureInfo.InvariantCulture);
        return null;
    }
}
