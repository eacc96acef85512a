namespace Mooring.Mqtt.Broker.Api;

/// <summary>Bounds of the broker's operator API.</summary>
internal static class BrokerApiLimits
{
    /// <summary>Topics whose rates are counted; further ones are counted together.</summary>
    public const int TopicsMax = 5_000;

    /// <summary>Topics in one answer.</summary>
    public const int TopicsShown = 1_000;

    /// <summary>Subscriptions over HTTP at a time.</summary>
    public const int WatchersMax = 64;

    /// <summary>Messages that wait for one of them; the oldest give way and are counted.</summary>
    public const int WaitingMax = 256;

    /// <summary>Bytes of a payload that are shown.</summary>
    public const int PayloadShown = 4_096;

    /// <summary>Counting goes on for this long after somebody asked last: it costs something, and nobody should pay who does not look.</summary>
    public static readonly TimeSpan CountedFor = TimeSpan.FromSeconds(30);

    /// <summary>Time over which a rate is taken.</summary>
    public static readonly TimeSpan RatePeriod = TimeSpan.FromSeconds(2);

    /// <summary>Least time between two writes to one who watches.</summary>
    public static readonly TimeSpan WritePeriod = TimeSpan.FromMilliseconds(250);

    /// <summary>A comment in this time keeps proxies from closing a quiet stream.</summary>
    public static readonly TimeSpan QuietMax = TimeSpan.FromSeconds(15);

    /// <summary>One who takes nothing for this long is sent away.</summary>
    public static readonly TimeSpan StalledFor = TimeSpan.FromSeconds(15);
}
