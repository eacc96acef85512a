using System.Globalization;

namespace Mooring.Edge.Agent.Topics;

/// <summary>How times are told to hubs: local with microseconds and without zone, as earlier agents do, or with the zone where that is chosen.</summary>
internal sealed class HubTimes(AgentOptions options, TimeProvider time)
{
    private readonly string _form = "yyyy-MM-dd'T'HH:mm:ss.ffffff" + (options.ZonedTimes ? "zzz" : "");

    /// <summary>This moment.</summary>
    public string Now => Text(time.GetUtcNow());

    /// <summary>A moment.</summary>
    public string Text(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, time.LocalTimeZone).ToString(_form, CultureInfo.InvariantCulture);
}
