namespace Mooring.Mqtt.Tests.Hostile;

/// <summary>The same through Kestrel, which serves TLS and WebSocket.</summary>
public sealed class SlowConsumerOnKestrelTests : SlowConsumerTests
{
    protected override bool IsOnKestrel => true;
}
