using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;
using Mooring.Mqtt;

namespace Mooring.Fleet.Links;

/// <summary>All connections to the broker: a few that the cars share, or one for each car.</summary>
internal sealed class BrokerLinks(
    FleetConnections mode, int sharedMax, Func<string, IMqttClient> createClient, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>
    /// Cars of one shared connection. Brokers keep a number of messages for each client (mosquitto and ours 1000) and drop what is
    /// more: with 50 cars, each of which sends ten a second, the server may stand still for two seconds and nothing is lost.
    /// </summary>
    internal const int CarsPerLink = 50;

    /// <summary>Length of a client id, as the original's.</summary>
    private const int ClientIdLetters = 20;

    private readonly Lock _lock = new();
    private readonly List<BrokerLink> _links = [];

    internal int Count
    {
        get { lock (_lock) return _links.Count; }
    }

    /// <summary>Why some connections are not up; null when all are.</summary>
    internal string? Problem
    {
        get
        {
            lock (_lock)
            {
                var down = _links.Where(l => l.Problem is not null).ToList();
                return down.Count == 0 ? null : $"{down.Count} of {_links.Count} broker connection(s) down: {down[0].Problem}";
            }
        }
    }

    /// <summary>A link for one more car: a new one while there are few or all are full, otherwise the one with the fewest cars.</summary>
    internal BrokerLink Take()
    {
        lock (_lock)
        {
            if (mode == FleetConnections.Shared && _links.Count >= sharedMax && _links.MinBy(l => l.Cars) is { Cars: < CarsPerLink } shared) return shared;
            var link = new BrokerLink(() => createClient(NewClientId()), time, logger);
            _links.Add(link);
            link.Start();
            return link;
        }
    }

    /// <summary>The car does not need its link any more.</summary>
    internal async Task ReturnAsync(BrokerLink link)
    {
        if (mode == FleetConnections.Shared) return;
        lock (_lock) _links.Remove(link);
        await link.StopAsync(TimeSpan.FromSeconds(1));
        await link.DisposeAsync();
    }

    internal Task StopAsync(TimeSpan drain)
    {
        lock (_lock) return Task.WhenAll(_links.Select(l => l.StopAsync(drain)));
    }

    public async ValueTask DisposeAsync()
    {
        BrokerLink[] links;
        lock (_lock) links = [.. _links];
        foreach (var link in links) await link.DisposeAsync();
    }

    // Told apart by the broker alone, nobody has to guess it.
    private static string NewClientId() =>
        Random.Shared.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", ClientIdLetters);
}
