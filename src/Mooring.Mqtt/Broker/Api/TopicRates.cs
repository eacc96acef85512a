using System.Runtime.InteropServices;

namespace Mooring.Mqtt.Broker.Api;

/// <summary>Counts the messages of each topic while somebody looks: a subscriber to everything that comes when it is asked and goes by itself.</summary>
internal sealed class TopicRates(MqttBroker broker, TimeProvider time) : IAsyncDisposable
{
    private const string ClientId = "mooring-console-topics";

    private readonly SemaphoreSlim _changing = new(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Count> _counts = new(StringComparer.Ordinal);
    private IMqttClient? _client;
    private ITimer? _timer;
    private long _askedAt;
    private long _others;

    /// <summary>The topics with the most messages, as counted since somebody began to look.</summary>
    public async Task<TopicsView> ViewAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _askedAt, time.GetTimestamp());
        await StartAsync(cancellationToken);
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var lines = _counts.Select(entry => LineOf(entry.Key, entry.Value, now)).OrderByDescending(line => line.Rate).ThenBy(line => line.Topic, StringComparer.Ordinal);
            return new TopicsView([.. lines.Take(BrokerApiLimits.TopicsShown)], _counts.Count, _others);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _changing.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _client) is not null) return;
        await _changing.WaitAsync(cancellationToken);
        try
        {
            if (_client is not null) return;
            var client = broker.CreateClient(ClientId);
            await client.StartAsync(cancellationToken);
            await client.SubscribeAsync(new MqttSubscription("#") { RetainHandling = RetainHandling.DoNotSend }, CountAsync, cancellationToken);
            Volatile.Write(ref _client, client);
            _timer = time.CreateTimer(_ => StopWhenNobodyLooks(), null, BrokerApiLimits.CountedFor, BrokerApiLimits.CountedFor);
        }
        finally
        {
            _changing.Release();
        }
    }

    private void StopWhenNobodyLooks()
    {
        if (time.GetElapsedTime(Volatile.Read(ref _askedAt)) >= BrokerApiLimits.CountedFor) _ = StopAsync();
    }

    private async Task StopAsync()
    {
        await _changing.WaitAsync();
        try
        {
            if (_client is not { } client) return;
            Volatile.Write(ref _client, null);
            if (_timer is not null) await _timer.DisposeAsync();
            await client.StopAsync(TimeSpan.Zero);
            await client.DisposeAsync();
            lock (_gate) _counts.Clear();
        }
        finally
        {
            _changing.Release();
        }
    }

    private ValueTask CountAsync(MqttMessage message, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_counts.Count >= BrokerApiLimits.TopicsMax && !_counts.ContainsKey(message.Topic)) _others++;
            else
            {
                ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, message.Topic, out var isKnown);
                if (!isKnown) count = new Count { Since = time.GetTimestamp() };
                count!.Messages++;
                count.Bytes += message.Payload.Length;
                count.LastAt = time.GetUtcNow();
            }
        }
        return ValueTask.CompletedTask;
    }

    private TopicLine LineOf(string topic, Count count, long now)
    {
        var elapsed = time.GetElapsedTime(count.Since, now);
        if (elapsed >= BrokerApiLimits.RatePeriod)
        {
            count.Rate = Math.Round((count.Messages - count.MessagesThen) / elapsed.TotalSeconds, 1);
            (count.Since, count.MessagesThen) = (now, count.Messages);
        }
        return new TopicLine(topic, count.Messages, count.Bytes, count.Rate, count.LastAt);
    }

    private sealed class Count
    {
        public long Messages;
        public long Bytes;
        public long Since;
        public long MessagesThen;
        public double Rate;
        public DateTimeOffset LastAt;
    }
}
