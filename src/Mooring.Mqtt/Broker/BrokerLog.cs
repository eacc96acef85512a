using System.Net;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Events;

namespace Mooring.Mqtt.Broker;

/// <summary>Log of the broker, ids 2500 to 2999.</summary>
internal sealed partial class BrokerLog(ILogger logger)
{
    /// <summary>
    /// Lines a second about what single clients do wrong: whoever breaks the rules a thousand times a second must not fill the disk.
    /// </summary>
    internal const int ClientLinesPerSecond = 100;

    /// <summary>Events a second about clients: what a broker does a thousand times a second is for its metrics.</summary>
    internal const int EventsPerSecond = 20;

    private readonly ILogger _logger = logger;
    private int _events;
    private int _clientLines;

    /// <summary>Who is told besides the log; null for nobody.</summary>
    internal OperatorEvents? Events { get; init; }

    internal void ProtocolError(EndPoint? remote, string? clientId, string reason)
    {
        if (HasRoom()) WriteProtocolError(remote, clientId, reason);
        Tell(clientId, "client_closed", EventSeverity.Warning, $"{remote}: {reason}");
    }

    internal void Stalled(string clientId, int unsentBytes)
    {
        if (HasRoom()) WriteStalled(clientId, unsentBytes);
        Tell(clientId, "client_stalled", EventSeverity.Warning, $"takes nothing; closed with {unsentBytes} bytes unsent");
    }

    internal void RetainedFull(int bytes)
    {
        if (HasRoom()) WriteRetainedFull(bytes);
    }

    internal void Refused(EndPoint? remote, string clientId, string? user, Codec.MqttReasonCode reason)
    {
        if (HasRoom()) WriteRefused(remote, clientId, user, reason);
        Tell(clientId, "client_refused", EventSeverity.Warning, $"{remote} as '{user}': {reason}");
    }

    internal void Connected(string clientId, EndPoint? remote)
    {
        WriteConnected(clientId, remote);
        Tell(clientId, "client_connected", EventSeverity.Notice, $"connected from {remote}");
    }

    internal void Disconnected(string clientId)
    {
        WriteDisconnected(clientId);
        Tell(clientId, "client_disconnected", EventSeverity.Notice, "disconnected");
    }

    internal void StorageFailed(string folder, string? reason)
    {
        WriteStorageFailed(folder, reason);
        Events?.Publish("broker", folder, "storage_failed", EventSeverity.Alarm, $"cannot be written: {reason}");
    }

    internal void StorageRecovered(string folder)
    {
        WriteStorageRecovered(folder);
        Events?.Publish("broker", folder, "storage_recovered", EventSeverity.Notice, "can be written again");
    }

    internal void ShortOfMemory(long used, long limit)
    {
        WriteShortOfMemory(used, limit);
        Events?.Publish("broker", "memory", "memory_short", EventSeverity.Alarm, $"{used} bytes are in use, {limit} are allowed: publishers are slowed down");
    }

    /// <summary>Once a second: tells how much was not told.</summary>
    internal void Tick()
    {
        Volatile.Write(ref _events, 0);
        var withheld = Interlocked.Exchange(ref _clientLines, 0) - ClientLinesPerSecond;
        if (withheld > 0) Withheld(withheld);
    }

    private void Tell(string? clientId, string kind, EventSeverity severity, string text)
    {
        if (Events is not null && Interlocked.Increment(ref _events) <= EventsPerSecond) Events.Publish("broker", clientId ?? "", kind, severity, text);
    }

    private bool HasRoom() => Interlocked.Increment(ref _clientLines) <= ClientLinesPerSecond;

    [LoggerMessage(2500, LogLevel.Information, "listening on {EndPoint} ({Transport})")]
    internal partial void Listening(EndPoint endPoint, MqttTransport transport);

    [LoggerMessage(2501, LogLevel.Information, "closing the connection of {Remote} (client '{ClientId}'): {Reason}")]
    private partial void WriteProtocolError(EndPoint? remote, string? clientId, string reason);

    [LoggerMessage(2502, LogLevel.Information, "client '{ClientId}' takes nothing: closing its connection with {UnsentBytes} bytes unsent")]
    private partial void WriteStalled(string clientId, int unsentBytes);

    [LoggerMessage(2503, LogLevel.Warning, "the retained store is full: a message of {Bytes} bytes was not kept")]
    private partial void WriteRetainedFull(int bytes);

    [LoggerMessage(2504, LogLevel.Debug, "client '{ClientId}' connected from {Remote}")]
    private partial void WriteConnected(string clientId, EndPoint? remote);

    [LoggerMessage(2505, LogLevel.Debug, "client '{ClientId}' disconnected")]
    private partial void WriteDisconnected(string clientId);

    [LoggerMessage(2506, LogLevel.Warning, "a message handler of the in-process client '{ClientId}' failed")]
    internal partial void HandlerFailed(string clientId, Exception error);

    [LoggerMessage(2507, LogLevel.Information, "client '{ClientId}' of {Remote} (user '{User}') is refused: {Reason}")]
    private partial void WriteRefused(EndPoint? remote, string clientId, string? user, Codec.MqttReasonCode reason);

    [LoggerMessage(2508, LogLevel.Information, "users and access rules are read again; {Disconnected} clients of removed users are disconnected")]
    internal partial void AccessReloaded(int disconnected);

    [LoggerMessage(2509, LogLevel.Warning, "users and access rules stay as they were: {Why}")]
    internal partial void AccessNotReloaded(string why);

    [LoggerMessage(2510, LogLevel.Warning, "{Used} bytes of memory are in use, {Limit} are allowed: publishers are slowed down and new clients refused")]
    private partial void WriteShortOfMemory(long used, long limit);

    [LoggerMessage(2511, LogLevel.Information, "{Used} bytes of memory are in use: clients are served as usual again")]
    internal partial void EnoughMemory(long used);

    [LoggerMessage(2512, LogLevel.Warning, "{Count} more lines about clients that broke the rules in the last second were left out")]
    private partial void Withheld(int count);

    [LoggerMessage(2520, LogLevel.Information, "{Folder}: {Sessions} sessions and {Retained} retained messages are back")]
    internal partial void Restored(string folder, int sessions, int retained);

    [LoggerMessage(2521, LogLevel.Warning, "{File}: {Bytes} bytes are damaged and were passed over; what they held is lost, the rest is kept")]
    internal partial void Damaged(string file, long bytes);

    [LoggerMessage(2522, LogLevel.Information, "{File}: the last {Bytes} bytes are a write that was cut off; nothing that was acknowledged is lost")]
    internal partial void Torn(string file, long bytes);

    [LoggerMessage(2523, LogLevel.Warning, "{Folder} cannot be written ({Reason}): QoS 1 and 2 messages that would have to be stored are refused until it can")]
    private partial void WriteStorageFailed(string folder, string? reason);

    [LoggerMessage(2524, LogLevel.Information, "{Folder} can be written again")]
    private partial void WriteStorageRecovered(string folder);
}
