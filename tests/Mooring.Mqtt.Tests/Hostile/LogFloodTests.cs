using Microsoft.Extensions.Logging;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Hostile;

public sealed class LogFloodTests : MooringTest
{
    [Fact]
    public void LinesAboutClients_AreBoundedInASecond_AndTheRestIsCounted()
    {
        var log = new BrokerLog(LoggerFactory.CreateLogger<MqttBroker>());
        for (var second = 0; second < 2; second++)
        {
            for (var i = 0; i < BrokerLog.ClientLinesPerSecond * 3; i++) log.ProtocolError(null, "c", "nonsense");
            log.Tick();
        }
        log.Tick();
        Assert.Equal(2 * BrokerLog.ClientLinesPerSecond, Log.Entries.Count(entry => entry.Event.Id == 2501));
        var told = Log.Entries.Where(entry => entry.Event.Id == 2512).ToList();
        Assert.Equal(2, told.Count);
        Assert.StartsWith($"{BrokerLog.ClientLinesPerSecond * 2} more lines", told[0].Message, StringComparison.Ordinal);
    }
}
