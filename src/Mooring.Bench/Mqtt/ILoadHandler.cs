using System.Runtime.Versioning;

namespace Mooring.Bench.Mqtt;

/// <summary>What a scenario does with what its connections receive; all calls come from the loop's thread.</summary>
[SupportedOSPlatform("linux")]
internal interface ILoadHandler
{
    /// <summary>A PUBLISH arrived; answers may be appended and are flushed after the batch.</summary>
    void OnDelivery(LoadConnection connection, ReadOnlySpan<byte> payload, int qualityOfService, ushort packetId);

    /// <summary>A PUBACK arrived.</summary>
    void OnAcknowledged(LoadConnection connection, ushort packetId);

    /// <summary>The periodic timer ran out <paramref name="expirations"/> times.</summary>
    void OnTimer(long expirations);
}
