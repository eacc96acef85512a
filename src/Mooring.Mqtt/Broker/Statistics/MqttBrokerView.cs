using System.Text;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker;

/// <summary>What an operator sees of the broker: copies of one moment, each of bounded size, taken without stopping it.</summary>
public sealed class MqttBrokerView
{
    /// <summary>The most clients, or subscriptions, that one call returns.</summary>
    public const int PageMax = 1000;

    private readonly MqttBroker _broker;

    internal MqttBrokerView(MqttBroker broker) => _broker = broker;

    /// <summary>The broker as a whole.</summary>
    /// <returns>Its figures now.</returns>
    public MqttBrokerStatistics Statistics() => _broker.TakeStatistics();

    /// <summary>Sessions in the order of their client identifiers.</summary>
    /// <param name="contains">A part of the client identifier or the user name; empty for all.</param>
    /// <param name="skip">How many of them to leave out.</param>
    /// <param name="take">How many to return, at most <see cref="PageMax"/>.</param>
    /// <returns>The page.</returns>
    public IReadOnlyList<MqttClientView> Clients(string contains = "", int skip = 0, int take = 100) =>
    [
        .. _broker.SnapshotSessions()
            .Where(session => session.ClientId.Contains(contains, StringComparison.OrdinalIgnoreCase)
                || session.UserName?.Contains(contains, StringComparison.OrdinalIgnoreCase) == true)
            .OrderBy(session => session.ClientId, StringComparer.Ordinal)
            .Skip(Math.Max(0, skip))
            .Take(Math.Clamp(take, 0, PageMax))
            .Select(Describe),
    ];

    /// <summary>One session.</summary>
    /// <param name="clientId">Its client identifier.</param>
    /// <returns>Null when there is none.</returns>
    public MqttClientView? Client(string clientId) => _broker.FindSession(clientId) is { } session ? Describe(session) : null;

    /// <summary>Filters of one session, as the client wrote them.</summary>
    /// <param name="clientId">Its client identifier.</param>
    /// <returns>At most <see cref="PageMax"/> of them; none when there is no such session.</returns>
    public IReadOnlyList<MqttSubscription> Subscriptions(string clientId) =>
    [
        .. (_broker.FindSession(clientId)?.Subscriptions ?? []).Take(PageMax).Select(subscription => new MqttSubscription(
            Encoding.UTF8.GetString(subscription.Key), subscription.MaximumQualityOfService)
        {
            NoLocal = subscription.NoLocal,
            RetainAsPublished = subscription.RetainAsPublished,
            Identifier = subscription.Identifier == 0 ? null : subscription.Identifier,
        }),
    ];

    /// <summary>Retained messages whose topics match a filter.</summary>
    /// <param name="filter">The filter.</param>
    /// <param name="take">How many to return, at most <see cref="PageMax"/>.</param>
    /// <returns>None when the filter is none.</returns>
    public IReadOnlyList<MqttMessage> Retained(string filter, int take = 100) => _broker.RetainedMatching(filter, Math.Clamp(take, 0, PageMax));

    /// <summary>Ends the connection of a client, which is told that it was an administrator; its session stays as it asked for.</summary>
    /// <param name="clientId">Its client identifier.</param>
    /// <returns>False when it is not connected, or a part of this process.</returns>
    public bool Disconnect(string clientId)
    {
        if (_broker.FindSession(clientId)?.Owner is not { } connection) return false;
        connection.End(MqttReasonCode.AdministrativeAction);
        return true;
    }

    private MqttClientView Describe(Session session)
    {
        var view = new MqttClientView(session.ClientId)
        {
            UserName = session.UserName,
            IsLocal = session.Local is not null,
            IsConnected = session.Local is not null,
            SessionExpiry = TimeSpan.FromSeconds(session.ExpirySeconds),
            Subscriptions = session.Subscriptions.Count,
            Waiting = session.Waiting,
        };
        return session.Owner is { } connection ? connection.Describe(view, _broker.Now) : view;
    }
}
