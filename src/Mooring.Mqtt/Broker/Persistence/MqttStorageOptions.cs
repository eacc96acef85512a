using Mooring.Kernel.Options;

namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>Where and how the broker keeps what must outlive its process.</summary>
public sealed record MqttStorageOptions
{
    /// <summary>Folder of the journal; made when missing. One broker at a time may use it.</summary>
    public required string Folder { get; init; }

    /// <summary>What an acknowledgement promises; default <see cref="MqttDurability.Process"/>.</summary>
    public MqttDurability Durability { get; init; }

    /// <summary>Bytes of one journal file, which are reserved when it is begun; default 16 MiB.</summary>
    public int SegmentBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>
    /// Journal bytes after which the living state is written anew and older files are deleted, or twice the living state if that is
    /// more; default 64 MiB.
    /// </summary>
    public long CheckpointBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Records gathered in memory before they are written at the latest; default 1 MiB.</summary>
    public int PendingBytes { get; init; } = 1024 * 1024;

    /// <summary>Adds all that is wrong with these options to <paramref name="errors"/>.</summary>
    public void Validate(OptionsErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        errors.Require(!string.IsNullOrWhiteSpace(Folder), "storage.folder", Folder, "the name of a folder");
        errors.RequireInRange("storage.segmentBytes", SegmentBytes, 4096, 1 << 30);
        errors.RequireInRange("storage.checkpointBytes", CheckpointBytes, 4096, 1L << 40);
        errors.RequireInRange("storage.pendingBytes", PendingBytes, 1024, 1 << 28);
    }
}
