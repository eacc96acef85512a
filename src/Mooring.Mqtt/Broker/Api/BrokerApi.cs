using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Mooring.Mqtt.Broker.Api;

/// <summary>What the broker's operator API keeps between requests.</summary>
internal sealed class BrokerApi(MqttBroker broker, TimeProvider time, CancellationToken stopping) : IAsyncDisposable
{
    private readonly Lazy<Task<IMqttClient>> _publisher = new(async () =>
    {
        var client = broker.CreateClient("mooring-console");
        await client.StartAsync(CancellationToken.None);
        return client;
    });

    private long _lastWatcher;
    private int _watchers;

    public TopicRates Rates { get; } = new(broker, time);

    /// <summary>Publishes; what is to be kept has been written by then, and survives the end of this process however it comes.</summary>
    /// <returns>Why it cannot be kept, where it should be; null when all is well.</returns>
    public async Task<string?> PublishAsync(MqttMessage message, CancellationToken cancellationToken)
    {
        await (await _publisher.Value).PublishAsync(message, cancellationToken);
        if (broker.Journal is not { } journal || (message.QualityOfService == QualityOfService.AtMostOnce && !message.Retain)) return null;
        journal.Commit();
        return journal.IsFailed ? journal.Failure : null;
    }

    /// <returns>False when too many watch already.</returns>
    public async Task<bool> TryWatchAsync(HttpContext http, MqttSubscription subscription)
    {
        try
        {
            if (Interlocked.Increment(ref _watchers) > BrokerApiLimits.WatchersMax) return false;
            var id = string.Create(CultureInfo.InvariantCulture, $"mooring-console-{Interlocked.Increment(ref _lastWatcher)}");
            await new MessageStream(broker, time, http, stopping).RunAsync(id, subscription);
            return true;
        }
        finally
        {
            Interlocked.Decrement(ref _watchers);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Rates.DisposeAsync();
        if (_publisher.IsValueCreated) await (await _publisher.Value).DisposeAsync();
    }
}
