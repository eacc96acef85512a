using System.Net;
using Microsoft.Extensions.Logging;

namespace Mooring.Mqtt.Broker;

/// <summary>Log of the broker, ids 2500 to 2999.</summary>
internal sealed partial class BrokerLog(ILogger logger)
{
    private readonly ILogger _logger = logger;

    [LoggerMessage(2500, LogLevel.Information, "listening on {EndPoint} ({Transport})")]
    internal partial void Listening(EndPoint endPoint, MqttTransport transport);

    [LoggerMessage(2501, LogLevel.Information, "closing the connection of {Remote} (client '{ClientId}'): {Reason}")]
    internal partial void ProtocolError(EndPoint? remote, string? clientId, string reason);

    [LoggerMessage(2502, LogLevel.Information, "client '{ClientId}' takes nothing: closing its connection with {UnsentBytes} bytes unsent")]
    internal partial void Stalled(string clientId, int unsentBytes);

    [LoggerMessage(2503, LogLevel.Warning, "the retained store is full: a message of {Bytes} bytes was not kept")]
    internal partial void RetainedFull(int bytes);

    [LoggerMessage(2504, LogLevel.Debug, "client '{ClientId}' connected from {Remote}")]
    internal partial void Connected(string clientId, EndPoint? remote);

    [LoggerMessage(2505, LogLevel.Debug, "client '{ClientId}' disconnected")]
    internal partial void Disconnected(string clientId);

    [LoggerMessage(2506, LogLevel.Warning, "a message handler of the in-process client '{ClientId}' failed")]
    internal partial void HandlerFailed(string clientId, Exception error);

    [LoggerMessage(2507, LogLevel.Information, "client '{ClientId}' of {Remote} (user '{User}') is refused: {Reason}")]
    internal partial void Refused(EndPoint? remote, string clientId, string? user, Codec.MqttReasonCode reason);

    [LoggerMessage(2508, LogLevel.Information, "users and access rules are read again; {Disconnected} clients of removed users are disconnected")]
    internal partial void AccessReloaded(int disconnected);

    [LoggerMessage(2509, LogLevel.Warning, "users and access rules stay as they were: {Why}")]
    internal partial void AccessNotReloaded(string why);
}
