using Mooring.Kernel.Options;
using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker;

/// <summary>Sessions: who has which, when they end, and the wills that come of it.</summary>
public sealed partial class MqttBroker
{
    /// <summary>
    /// Reads users and rules again. Clients whose user is gone are told and disconnected; the rules count at once for all others, for
    /// what they publish and for what still waits for them.
    /// </summary>
    /// <param name="options">Where users and rules are now.</param>
    /// <exception cref="ConfigurationException">They cannot be used; everything stays as it was.</exception>
    public void ReloadAccess(MqttBrokerOptions options)
    {
        Access.Reload(options);
        List<BrokerConnection> leave = [];
        lock (_connectGate)
        {
            foreach (var session in _sessions.Values.Where(session => session.Local is null))
            {
                var permissions = Access.PermissionsOf(new Identity(session.ClientId, session.UserName));
                session.Permissions = permissions;
                if (session.Owner is not { } owner) continue;
                owner.Permissions = permissions;
                if (session.UserName is { } user && !owner.HasCertificate && !Access.IsKnown(user)) leave.Add(owner);
            }
        }

        Subscriptions.Touch();
        leave.ForEach(connection => connection.End(MqttReasonCode.NotAuthorized));
        Log.AccessReloaded(leave.Count);
    }

    internal bool TryAdd(Session local)
    {
        lock (_connectGate)
        {
            return _sessions.TryAdd(local.ClientId, local);
        }
    }

    internal void Remove(Session local)
    {
        lock (_connectGate)
        {
            Drop_NeedsLock(local);
        }
    }

    internal uint CapExpiry(uint seconds) => Math.Min(seconds, (uint)Options.Limits.SessionExpiry.TotalSeconds);

    /// <summary>
    /// Gives <paramref name="connection"/> the session of its client identifier, a new one when there is none or a clean start is
    /// asked for, and ends the connection that had it (MQTT-3.1.4-3). Null when the broker is full.
    /// </summary>
    internal Session? TakeOver(
        Identity identity, bool cleanStart, BrokerConnection connection, uint expirySeconds, Will? ownWill, out bool present)
    {
        var clientId = identity.ClientId;
        Session? session;
        BrokerConnection? former;
        Will? will = null;
        lock (_connectGate)
        {
            _sessions.TryGetValue(clientId, out session);
            // What one user left is not for another one who takes the same client identifier.
            cleanStart |= session is not null && session.UserName != identity.UserName;
            present = session is not null && !cleanStart;
            if (session is { Local: not null } || IsShortOfMemory || (session is null && _sessions.Count >= Options.Limits.Sessions)
                || (expirySeconds > 0 && Journal is { IsFailed: true }))
            {
                return null;
            }

            former = session?.Owner;
            session?.Detach();

            if (session is not null && cleanStart)
            {
                // The old session ends here, and its delayed will with it (MQTT-3.1.3-9).
                will = session.DelayedWill?.Will;
                session.Owner = null;
                Drop_NeedsLock(session);
                session = null;
            }

            session ??= _sessions[clientId] = new Session(clientId, Options.Limits, Counters) { UserName = identity.UserName };
            session.Owner = connection;
            session.ExpirySeconds = expirySeconds;
            if (!ReferenceEquals(session.Permissions, connection.Permissions))
            {
                session.Permissions = connection.Permissions;
                Subscriptions.Touch();
            }

            session.EndsAt = null;
            session.KeepIn(Journal);
            session.SetDelayedWill(expirySeconds > 0 && ownWill is { DelaySeconds: > 0 } ? ownWill : null, dueAt: null);
        }

        former?.End(MqttReasonCode.SessionTakenOver);
        Publish(will);
        Log.Connected(clientId, connection.RemoteEndPoint);
        return session;
    }

    /// <summary>A connection is over: its will is published or scheduled, its session kept or dropped.</summary>
    internal void Closed(BrokerConnection connection, Session? session, Will? will)
    {
        Forget(connection);
        if (session is null)
        {
            return;
        }

        Log.Disconnected(session.ClientId);
        lock (_connectGate)
        {
            if (session.Owner == connection)
            {
                session.Owner = null;
                session.Detach();
                var now = Now;
                if (session.ExpirySeconds == 0)
                {
                    Drop_NeedsLock(session);
                }
                else
                {
                    session.EndsAt = now + (session.ExpirySeconds * 1000L);
                    session.KeepIn(Journal);
                    var delayed = will is { DelaySeconds: > 0 } ? will : null;
                    session.SetDelayedWill(delayed, now + (Math.Min(delayed?.DelaySeconds ?? 0, session.ExpirySeconds) * 1000L));
                    will = delayed is null ? will : null;
                }
            }
            else if (will is { DelaySeconds: > 0 } && ReferenceEquals(_sessions.GetValueOrDefault(session.ClientId), session))
            {
                // Taken over and the session goes on: a delayed will is cancelled (MQTT-3.1.3-9).
                will = null;
            }
        }

        Publish(will);
    }

    /// <summary>One step of all deadlines; the timer is one line around it.</summary>
    internal void Tick(long now)
    {
        foreach (var connection in _connections.Keys)
        {
            connection.Tick(now);
        }

        List<Will>? due = null;
        lock (_connectGate)
        {
            foreach (var session in _sessions.Values)
            {
                var ends = session.EndsAt <= now;
                if (session.DelayedWill is { } delayed && (ends || delayed.DueAt <= now))
                {
                    (due ??= []).Add(delayed.Will);
                    session.SetDelayedWill(null, null);
                }

                if (ends)
                {
                    _sessionsExpired++;
                    Drop_NeedsLock(session);
                }
            }
        }

        due?.ForEach(Publish);
        TickMemory();
        Log.Tick();
        TickStorage(now);
        TickStatistics(now);
    }

    private void Publish(Will? will)
    {
        if (will is not null)
        {
            _wills.Add(will);
        }
    }

    private void PublishNow(Will will)
    {
        var message = will.Message;
        Publish(RoutedMessage.Create(
            message.Topic, message.Payload, message.QualityOfService, message.Retain, message.Properties,
            will.ExpirySeconds is { } seconds ? Now + (seconds * 1000L) : null));
    }

    private void Drop_NeedsLock(Session session)
    {
        if (ReferenceEquals(_sessions.GetValueOrDefault(session.ClientId), session))
        {
            _sessions.Remove(session.ClientId);
        }

        var undelivered = session.Undelivered();
        session.Discard();
        foreach (var subscription in session.Subscriptions)
        {
            Subscriptions.Remove(subscription);
        }

        if (undelivered.Count > 0)
        {
            // Not under the lock of all connects.
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.Broker.HandOver(work.Undelivered), (Broker: this, Undelivered: undelivered), preferLocal: false);
        }
    }

    private void HandOver(List<(Subscription Share, RoutedMessage Message)> undelivered)
    {
        foreach (var (share, message) in undelivered)
        {
            if (!message.IsExpired(Now) && Subscriptions.FindShare(share, message.Topic) is { } others)
            {
                Deliver(others.Choose(), message);
            }
        }
    }
}
