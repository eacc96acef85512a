using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Broker.Persistence;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker;

/// <summary>What outlives the process: restored at the start, written anew from time to time.</summary>
public sealed partial class MqttBroker
{
    private BrokerStore? _store;

    /// <summary>Where changes are recorded; null when everything lives in memory only.</summary>
    internal Journal? Journal => _store?.Journal;

    /// <summary>Whether acknowledging this message would promise what cannot be kept now.</summary>
    internal bool CannotKeep(RoutedMessage message)
    {
        if (message.QualityOfService == QualityOfService.AtMostOnce || Journal is not { IsFailed: true })
        {
            return false;
        }

        var route = Subscriptions.Find(message.Topic);
        return message.Retain || message.Publisher is { IsDurable: true }
            || route.Targets.Any(target => target.Session.IsDurable)
            || route.Shares.Any(share => share.Members.Any(member => member.Session.IsDurable));
    }

    private void Restore()
    {
        if (Options.Storage is not { } storage)
        {
            return;
        }

        _store = new BrokerStore(storage, Log, _time.GetUtcNow().ToUnixTimeMilliseconds() - Now);
        var state = _store.Open();
        foreach (var retained in state.Retained.Where(retained => !retained.Routed.IsExpired(Now)))
        {
            _retained.Restore(retained.Routed);
        }

        foreach (var stored in state.Sessions)
        {
            Restore(stored);
        }

        _retained.Journal = Journal;
        foreach (var intent in state.Intents)
        {
            Complete(intent);
        }

        _store.Checkpoint(KeptSessions, _retained);
        Log.Restored(storage.Folder, Sessions, Retained);
    }

    private void Restore(StoredSession stored)
    {
        var session = new Session(stored.ClientId, Options.Limits, Counters)
        {
            UserName = stored.UserName,
            Permissions = Access.PermissionsOf(new Identity(stored.ClientId, stored.UserName)),
        };
        session.Restore(stored, Now, _store!.WallClockOrigin);
        lock (_connectGate)
        {
            if (!_sessions.TryAdd(stored.ClientId, session))
            {
                return;
            }

            session.KeepIn(Journal);
        }

        foreach (var (key, (options, identifier)) in stored.Subscriptions)
        {
            if (!TopicFilter.TrySplitShare(key, out var share, out var filter))
            {
                continue;
            }

            var subscription = new Subscription(session, key, share.IsEmpty ? key : filter.ToArray(), share.ToArray(), options, identifier);
            if (session.TryKeep(subscription))
            {
                Subscriptions.Set(subscription, former: null);
            }
        }
    }

    /// <summary>Brings a QoS 2 message to the sessions that it had not reached when the process died.</summary>
    private void Complete(StoredIntent intent)
    {
        var message = intent.Message.Routed;
        if (message.Retain)
        {
            _retained.Keep(message);
        }

        var route = Subscriptions.Find(message.Topic);
        foreach (var target in route.Targets.Where(target => !intent.Reached.Contains(target.Session.ClientId)))
        {
            Deliver(target, message);
        }

        foreach (var share in route.Shares.Where(share => !share.Members.Any(member => intent.Reached.Contains(member.Session.ClientId))))
        {
            Deliver(share.Choose(), message);
        }
    }

    private Session[] KeptSessions()
    {
        lock (_connectGate)
        {
            return [.. _sessions.Values.Where(session => session.IsDurable)];
        }
    }

    private void TickStorage(long now) => _store?.Tick(now, KeptSessions, _retained);

    private void CloseStorage() => _store?.Dispose();
}
