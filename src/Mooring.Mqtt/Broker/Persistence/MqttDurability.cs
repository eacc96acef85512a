namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>What an acknowledgement of the broker promises.</summary>
public enum MqttDurability
{
    /// <summary>What was acknowledged survives the death of the process, however it dies: it was handed to the operating system.</summary>
    Process,

    /// <summary>It survives the loss of power too: it was flushed to the disk, which makes acknowledgements wait for the disk.</summary>
    Power,
}
