using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Topics;

namespace Mooring.Edge.Agent.Audit;

/// <summary>
/// What hubs asked for and what came of it: one JSON object on a line, each with the hash of the line before, so that a line that was
/// removed or changed shows. Bodies are never written: they hold passwords and programs.
/// </summary>
internal sealed partial class AuditLog : ITopicAudit, IDisposable
{
    /// <summary>A file that has grown so long is put aside as <c>.1</c>, and that as <c>.2</c>.</summary>
    internal const long MaxFileBytes = 10 * 1024 * 1024;

    private const int KeptFiles = 5;
    private static readonly byte[] NoHash = new byte[SHA256.HashSizeInBytes];

    // Questions that change nothing and come every few seconds would bury the rest.
    private static readonly HashSet<string> NotKept = new(StringComparer.Ordinal)
    {
        "get_device_status", "get_host_interfaces", "get_serial_devices", "get_consumption_device", "get_consumption_orchestrator",
        "get_orchestrator_version",
    };

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private FileStream? _file;
    private byte[] _last = NoHash;

    public AuditLog(string path, TimeProvider time, ILogger<AuditLog> logger)
    {
        (_path, _time, _logger) = (path, time, logger);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (File.Exists(path) && File.ReadLines(path).LastOrDefault() is { } line) _last = SHA256.HashData(Encoding.UTF8.GetBytes(line));
    }

    /// <inheritdoc/>
    public void Record(string topic, JsonElement message, JsonObject answer, TimeSpan took)
    {
        if (NotKept.Contains(topic)) return;
        var entry = new JsonObject
        {
            ["at"] = _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture),
            ["topic"] = topic,
            ["device"] = Text(message, "device_id") ?? Text(message, "container_name"),
            ["correlation_id"] = answer["correlation_id"]?.DeepClone(),
            ["result"] = (string?)answer["status"],
            ["ms"] = (long)took.TotalMilliseconds,
        };
        if (topic == "run_command")
        {
            entry["method"] = Text(message, "method");
            entry["api"] = Text(message, "api")?.Split('?')[0];
            entry["status_code"] = answer["http_response"]?["status_code"]?.DeepClone();
        }
        Write(entry);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate) _file?.Dispose();
    }

    private void Write(JsonObject entry)
    {
        lock (_gate)
        {
            try
            {
                if (_file?.Length > MaxFileBytes) Rotate();
                _file ??= new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read);
                entry["previous"] = Convert.ToHexStringLower(_last);
                var line = Encoding.UTF8.GetBytes(entry.ToJsonString());
                _file.Write([.. line, (byte)'\n']);
                _file.Flush();
                _last = SHA256.HashData(line);
            }
            catch (IOException e)
            {
                LogNotKept(_logger, e.Message);
            }
        }
    }

    private void Rotate()
    {
        _file?.Dispose();
        _file = null;
        for (var number = KeptFiles - 1; number >= 1; number--)
            if (File.Exists($"{_path}.{number}")) File.Move($"{_path}.{number}", $"{_path}.{number + 1}", overwrite: true);
        File.Move(_path, _path + ".1", overwrite: true);
    }

    private static string? Text(JsonElement message, string name) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;

    [LoggerMessage(7070, LogLevel.Error, "a request of the hub is not kept in the audit log: {Reason}")]
    private static partial void LogNotKept(ILogger logger, string reason);
}
