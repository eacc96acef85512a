namespace Mooring.Mqtt.Broker;

/// <summary>What a rule of the access list speaks about.</summary>
[Flags]
public enum AccessAction
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Publishing to a topic, wills included.</summary>
    Publish = 1,

    /// <summary>Subscribing to a filter, and receiving from a topic.</summary>
    Subscribe = 2,

    /// <summary>Both.</summary>
    All = Publish | Subscribe,
}
