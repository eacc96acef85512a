using Microsoft.Extensions.Logging;

namespace Mooring.Mqtt.Client;

/// <summary>Log of the client, ids 2000 to 2499.</summary>
internal sealed partial class ClientLog(ILogger logger)
{
    private readonly ILogger _logger = logger;

    [LoggerMessage(2000, LogLevel.Information, "Connected to {Server} as '{ClientId}', session present: {SessionPresent}")]
    internal partial void Connected(Uri server, string clientId, bool sessionPresent);

    [LoggerMessage(2001, LogLevel.Warning, "The broker refused the filter '{Filter}' after a reconnect: {Reason}")]
    internal partial void SubscriptionRefused(string filter, string reason);

    [LoggerMessage(2002, LogLevel.Warning, "A handler of the client '{ClientId}' failed at a message of '{Topic}'")]
    internal partial void HandlerFailed(string clientId, string topic, Exception error);

    [LoggerMessage(2003, LogLevel.Warning, "A queued message of '{Topic}' was not delivered: {Reason}")]
    internal partial void NotDelivered(string topic, string reason);

    [LoggerMessage(2004, LogLevel.Warning,
        "QoS 0 messages are dropped: {Waiting} messages wait for handlers, which cannot keep up")]
    internal partial void ReceivedDropped(int waiting);

    [LoggerMessage(2005, LogLevel.Warning, "The broker {Server} broke the protocol: {Reason}")]
    internal partial void ProtocolError(Uri server, string reason);

    [LoggerMessage(2006, LogLevel.Warning, "The broker did not keep the session: {Repeated} messages are sent again, {InDoubt} of QoS 2 are in doubt")]
    internal partial void SessionLost(int repeated, int inDoubt);

    [LoggerMessage(2009, LogLevel.Warning, "A handler of the client '{ClientId}' did not end within {Time} after it was cancelled")]
    internal partial void HandlerStays(string clientId, TimeSpan time);

    [LoggerMessage(2008, LogLevel.Error, "The connection to {Server} ended with an unexpected error")]
    internal partial void Unexpected(Uri server, Exception error);

    [LoggerMessage(2007, LogLevel.Debug, "Reads nothing more for now: {Waiting} messages wait for handlers")]
    internal partial void ReadingPaused(int waiting);
}
