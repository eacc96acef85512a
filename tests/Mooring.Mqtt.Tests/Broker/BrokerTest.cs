using System.Net;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>A broker on a loopback port for each test; deadlines are tried by calling its tick with a later time.</summary>
public abstract class BrokerTest : MooringTest
{
    private readonly Lazy<MqttBroker> _broker;

    protected BrokerTest()
    {
        _broker = new Lazy<MqttBroker>(() =>
        {
            var broker = new MqttBroker(
                Configure(new MqttBrokerOptions { Listeners = [new IPEndPoint(IPAddress.Loopback, 0)], Limits = Limits }),
                LoggerFactory.CreateLogger<MqttBroker>(), TimeProvider.System);
            broker.Start();
            return broker;
        });
    }

    protected MqttBroker Broker => _broker.Value;

    protected IPEndPoint Address => Broker.EndPoints[0];

    protected virtual MqttBrokerLimits Limits => new();

    protected virtual MqttBrokerOptions Configure(MqttBrokerOptions options) => options;

    public override async ValueTask DisposeAsync()
    {
        if (_broker.IsValueCreated)
        {
            await _broker.Value.DisposeAsync();
        }

        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
