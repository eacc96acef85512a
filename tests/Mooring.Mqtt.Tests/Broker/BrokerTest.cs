using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Broker;

/// <summary>A broker on a loopback port for each test; deadlines are tried by calling its tick with a later time.</summary>
public abstract class BrokerTest : MooringTest
{
    private readonly Lazy<MqttBroker> _broker;
    private WebApplication? _host;
    private IPEndPoint? _onKestrel;

    protected BrokerTest()
    {
        _broker = new Lazy<MqttBroker>(() =>
        {
            var options = Configure(new MqttBrokerOptions { Listeners = [new IPEndPoint(IPAddress.Loopback, 0)], Limits = Limits });
            if (IsOnKestrel) return StartOnKestrel(options);
            var broker = new MqttBroker(options, LoggerFactory.CreateLogger<MqttBroker>(), TimeProvider.System);
            broker.Start();
            return broker;
        });
    }

    protected MqttBroker Broker => _broker.Value;

    protected IPEndPoint Address => Broker is var broker && _onKestrel is { } address ? address : broker.EndPoints[0];

    /// <summary>Whether clients connect to the transport that also serves TLS and WebSocket.</summary>
    protected virtual bool IsOnKestrel => false;

    protected virtual MqttBrokerLimits Limits => new();

    protected virtual MqttBrokerOptions Configure(MqttBrokerOptions options) => options;

    public override async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
        else if (_broker.IsValueCreated)
        {
            await _broker.Value.DisposeAsync();
        }

        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private MqttBroker StartOnKestrel(MqttBrokerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(Log);
        builder.Services.AddMqttBroker(options with { Listeners = [] });
        ListenOptions? bound = null;
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
        {
            bound = endpoint;
            endpoint.UseMqttBroker(kestrel.ApplicationServices.GetRequiredService<MqttBroker>());
        }));
        _host = builder.Build();
        _host.Start();
        _onKestrel = bound!.IPEndPoint;
        return _host.Services.GetRequiredService<MqttBroker>();
    }
}
