using System.Text;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>Subscriptions. Requests of many callers travel together: one SUBSCRIBE carries what has gathered.</summary>
internal sealed partial class ClientSession
{
    /// <summary>Filters of one packet: keeps it small for brokers that limit them.</summary>
    private const int FiltersPerPacket = 100;

    /// <summary>Bytes of filters in one packet, for the same reason.</summary>
    private const int FilterBytesPerPacket = 16 * 1024;

    /// <summary>SUBSCRIBE and UNSUBSCRIBE packets without an answer; further ones wait.</summary>
    private const int FilterPacketsMax = 16;

    private readonly Dictionary<string, FilterEntry> _filters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FilterEntry[]> _exact = new(StringComparer.Ordinal);
    private readonly Queue<(FilterEntry Entry, bool Subscribe)> _operations = new();
    private FilterEntry[] _wildcards = [];
    private int _filterPackets;

    /// <summary>Adds a handler; the task ends when the broker has the filter.</summary>
    internal (FilterEntry Entry, Task Acknowledged) Subscribe(MqttSubscription wanted, MqttMessageHandler handler)
    {
        var made = FilterEntry.Create(wanted);
        lock (_gate)
        {
            ThrowIfStopped();
            if (!_filters.TryGetValue(wanted.Filter, out var entry))
            {
                if (_filters.Count >= _options.Limits.Subscriptions)
                {
                    throw new InvalidOperationException($"{_filters.Count} filters are subscribed, and no more are allowed");
                }
                entry = made;
                _filters.Add(wanted.Filter, entry);
            }
            if (entry.Handlers.Length == 0) SetDispatch(entry, add: true);
            entry.Wanted = wanted;
            entry.Handlers = [.. entry.Handlers, handler];
            entry.IsEstablished = false;
            entry.Unsubscribing?.TrySetResult();
            entry.Unsubscribing = null;
            entry.Subscribing ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_connection is { } connection)
            {
                _operations.Enqueue((entry, Subscribe: true));
                connection.Wake();
            }
            return (entry, entry.Subscribing.Task);
        }
    }

    /// <summary>Takes a handler away; with the last one the filter goes, and the task ends when the broker knows or the link is down.</summary>
    internal Task Unsubscribe(FilterEntry entry, MqttMessageHandler handler)
    {
        lock (_gate)
        {
            var at = Array.IndexOf(entry.Handlers, handler);
            if (at < 0) return Task.CompletedTask;
            entry.Handlers = [.. entry.Handlers[..at], .. entry.Handlers[(at + 1)..]];
            if (entry.Handlers.Length > 0) return Task.CompletedTask;
            SetDispatch(entry, add: false);
            entry.Subscribing?.TrySetCanceled();
            entry.Subscribing = null;
            entry.IsEstablished = false;
            if (!entry.MayExist) Forget(entry);
            // Offline it stays known, for a session that may still have it, until the next CONNACK tells.
            if (!entry.MayExist || _connection is not { } connection) return Task.CompletedTask;
            _operations.Enqueue((entry, Subscribe: false));
            entry.Unsubscribing ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            connection.Wake();
            return entry.Unsubscribing.Task;
        }
    }

    /// <summary>Handlers of a message, in a list that the caller owns.</summary>
    internal void FindHandlers(MqttMessage message, bool hasIdentifiers, List<MqttMessageHandler> found)
    {
        found.Clear();
        lock (_gate)
        {
            if (_exact.TryGetValue(message.Topic, out var exact)) AddHandlers(exact, message, hasIdentifiers, found);
            if (_wildcards.Length == 0) return;
            Span<byte> scratch = stackalloc byte[512];
            var length = Encoding.UTF8.GetByteCount(message.Topic);
            var topic = length <= scratch.Length ? scratch[..length] : new byte[length];
            Encoding.UTF8.GetBytes(message.Topic, topic);
            foreach (var entry in _wildcards)
            {
                if (TopicFilter.Matches(entry.Inner, topic)) AddHandlers([entry], message, hasIdentifiers, found);
            }
        }
    }

    internal void OnSubAck(ushort id, ReadOnlySpan<byte> codes, string? text)
    {
        lock (_gate)
        {
            if (!TryTakeRequest(id, InFlightStage.SubAck, out var entries)) return;
            if (codes.Length != entries.Length)
            {
                MqttProtocolException.ThrowProtocolError($"SUBACK with {codes.Length} codes for {entries.Length} filters");
            }
            for (var i = 0; i < codes.Length; i++) Settle(entries[i], (MqttReasonCode)codes[i], text);
            AfterFilterAnswer();
        }
    }

    internal void OnUnsubAck(ushort id)
    {
        lock (_gate)
        {
            if (!TryTakeRequest(id, InFlightStage.UnsubAck, out var entries)) return;
            foreach (var entry in entries) Forget(entry);
            AfterFilterAnswer();
        }
    }

    private static void AddHandlers(ReadOnlySpan<FilterEntry> entries, MqttMessage message, bool hasIdentifiers, List<MqttMessageHandler> found)
    {
        foreach (var entry in entries)
        {
            // A filter with an identifier gets the copies that carry it, so that overlapping filters need not see one message twice.
            if (hasIdentifiers && entry.Wanted.Identifier is { } identifier && !message.SubscriptionIdentifiers.Contains(identifier)) continue;
            found.AddRange(entry.Handlers);
        }
    }

    private bool TryTakeRequest(ushort id, InFlightStage stage, out FilterEntry[] entries)
    {
        entries = [];
        var found = _inFlight.StageOf(id);
        if (found == InFlightStage.Free) return false;
        if (found != stage) MqttProtocolException.ThrowProtocolError($"an answer to packet {id}, which is of another kind");
        entries = _inFlight.ItemOf<FilterEntry[]>(id);
        _inFlight.Remove(id);
        _filterPackets--;
        return true;
    }

    private void AfterFilterAnswer()
    {
        if (_operations.Count > 0) _connection?.Wake();
        else if (_filterPackets == 0) _connection?.FiltersAcknowledged();
        SignalIfDrained();
    }

    private void Settle(FilterEntry entry, MqttReasonCode code, string? text)
    {
        // Its last handler went meanwhile; the UNSUBSCRIBE is on its way.
        if (entry.Handlers.Length == 0) return;
        if (!code.IsFailure())
        {
            entry.IsEstablished = true;
            entry.Subscribing?.TrySetResult();
            entry.Subscribing = null;
            return;
        }
        var refusal = Refusals.Of($"the filter '{entry.Filter}'", code, text);
        if (entry.Subscribing is null) _log.SubscriptionRefused(entry.Filter, refusal.Message);
        entry.MayExist = false;
        entry.Subscribing?.TrySetException(refusal);
        entry.Subscribing = null;
    }

    private void Forget(FilterEntry entry)
    {
        if (entry.Handlers.Length == 0) _filters.Remove(entry.Filter);
        entry.Unsubscribing?.TrySetResult();
        entry.Unsubscribing = null;
    }

    private void SetDispatch(FilterEntry entry, bool add)
    {
        if (entry.ExactTopic is not { } topic)
        {
            _wildcards = add ? [.. _wildcards, entry] : [.. _wildcards.Where(other => other != entry)];
            return;
        }
        var present = _exact.GetValueOrDefault(topic, []);
        FilterEntry[] changed = add ? [.. present, entry] : [.. present.Where(other => other != entry)];
        if (changed.Length == 0) _exact.Remove(topic);
        else _exact[topic] = changed;
    }

    /// <summary>On a new connection: what the broker's session lacks is subscribed, what it has too much is unsubscribed.</summary>
    private void QueueFilters(bool sessionPresent)
    {
        _operations.Clear();
        _filterPackets = 0;
        foreach (var entry in _filters.Values.ToArray())
        {
            if (!sessionPresent) (entry.IsEstablished, entry.MayExist) = (false, false);
            if (entry.Handlers.Length > 0 && !entry.IsEstablished) _operations.Enqueue((entry, Subscribe: true));
            else if (entry.Handlers.Length == 0 && entry.MayExist) _operations.Enqueue((entry, Subscribe: false));
            else if (entry.Handlers.Length == 0) Forget(entry);
        }
    }

    private void FailLeavingFilters()
    {
        foreach (var entry in _filters.Values)
        {
            entry.Unsubscribing?.TrySetResult();
            entry.Unsubscribing = null;
        }
    }

    private void FailFilters(Exception reason)
    {
        _operations.Clear();
        foreach (var entry in _filters.Values)
        {
            entry.Subscribing?.TrySetException(Stopped(reason));
            entry.Unsubscribing?.TrySetResult();
            (entry.Subscribing, entry.Unsubscribing) = (null, null);
        }
    }

    private void WriteFilters(OutputBuffer output)
    {
        while (output.Length < BatchBytes && _operations.Count > 0 && _filterPackets < FilterPacketsMax && _inFlight.HasRoom)
        {
            var batch = TakeFilters(out var subscribe);
            if (batch.Count == 0) continue;
            _filterPackets++;
            var id = _inFlight.Add(subscribe ? InFlightStage.SubAck : InFlightStage.UnsubAck, batch.ToArray());
            if (subscribe) WriteSubscribe(id, batch, output);
            else MqttPackets.WriteUnsubscribe(output, _options.Version, id, [.. batch.Select(entry => (ReadOnlyMemory<byte>)entry.Encoded)]);
        }
        if (_operations.Count == 0 && _filterPackets == 0) _connection?.FiltersAcknowledged();
    }

    /// <summary>Takes operations of one kind from the front of the queue; an identifier holds for a whole SUBSCRIBE, so it travels alone.</summary>
    private List<FilterEntry> TakeFilters(out bool subscribe)
    {
        var batch = new List<FilterEntry>();
        var bytes = 0;
        subscribe = _operations.Peek().Subscribe;
        while (batch.Count < FiltersPerPacket && bytes < FilterBytesPerPacket
            && _operations.TryPeek(out var next) && next.Subscribe == subscribe)
        {
            var isAlone = subscribe && next.Entry.Wanted.Identifier is not null;
            if (isAlone && batch.Count > 0) break;
            _operations.Dequeue();
            // Overtaken by a later change of mind, which is in the queue as well.
            if (subscribe != next.Entry.Handlers.Length > 0) continue;
            if (subscribe && RefusalOf(next.Entry) is { } refusal)
            {
                Settle(next.Entry, refusal, null);
                continue;
            }
            next.Entry.MayExist = subscribe;
            batch.Add(next.Entry);
            bytes += next.Entry.Encoded.Length + 3;
            if (isAlone) break;
        }
        return batch;
    }

    private MqttReasonCode? RefusalOf(FilterEntry entry)
    {
        var server = _connection!.Server;
        if (!server.TakesWildcards && entry.ExactTopic is null) return MqttReasonCode.WildcardSubscriptionsNotSupported;
        if (!server.TakesShares && entry.IsShared) return MqttReasonCode.SharedSubscriptionsNotSupported;
        if (!server.TakesIdentifiers && entry.Wanted.Identifier is not null) return MqttReasonCode.SubscriptionIdentifiersNotSupported;
        return entry.Encoded.Length + 32 > server.MaximumPacketBytes ? MqttReasonCode.QuotaExceeded : null;
    }

    private void WriteSubscribe(ushort id, List<FilterEntry> batch, OutputBuffer output)
    {
        var properties = new PropertyWriter();
        if (_options.Version == MqttVersion.V500 && batch[0].Wanted.Identifier is { } identifier)
        {
            properties.WriteVariable(PropertyId.SubscriptionIdentifier, identifier);
        }
        MqttPackets.WriteSubscribe(
            output, _options.Version, id, properties.Written,
            [.. batch.Select(entry => ((ReadOnlyMemory<byte>)entry.Encoded, entry.OptionsFor(_options.Version)))]);
    }
}
