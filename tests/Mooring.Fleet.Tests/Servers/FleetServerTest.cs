using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Protocol;
using Mooring.Mqtt.Broker;
using Mooring.Testing;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;

namespace Mooring.Fleet.Tests.Servers;

/// <summary>A server on the embedded broker, fake modules, and gateways that speak through the same broker.</summary>
public abstract class FleetServerTest : MooringTest
{
    private protected MqttBroker Broker { get; }

    private protected FakeLoader Loader { get; } = new();

    protected FleetServerTest()
    {
        Broker = Own(new MqttBroker(new MqttBrokerOptions { Listeners = [] }, LoggerFactory.CreateLogger<MqttBroker>(), TimeProvider.System));
        Broker.Start();
    }

    private protected static FleetOptions Options(params string[] cars) => new()
    {
        Company = "company",
        Broker = new FleetBrokerOptions { Host = "127.0.0.1", Port = 1883 },
        Cars = [.. cars.Select(CarOptionsOf)],
    };

    private protected static CarOptions CarOptionsOf(string name) =>
        new() { Name = name, Modules = [new ModuleOptions { Number = 1000, Library = "good" }] };

    private protected FleetServer NewServer(FleetOptions options) => Own(new FleetServer(
        options, (_, id) => Broker.CreateClient(id), Loader, TimeProvider.System, LoggerFactory.CreateLogger<FleetServer>()));

    private protected async Task<FleetServer> StartAsync(FleetOptions options)
    {
        var server = NewServer(options);
        await server.StartAsync(TestTimeout);
        return server;
    }

    private protected async Task<Gateway> GatewayAsync(string car)
    {
        var gateway = Own(new Gateway(Broker.CreateClient($"gateway {car}"), "company", car));
        await gateway.StartAsync(TestTimeout);
        return gateway;
    }

    private protected static Device DeviceOf(string role, int module = 1000) =>
        new() { Module = (Device.Types.Module)module, DeviceRole = role, DeviceName = "n" };

    /// <summary>A complete connect sequence of one device.</summary>
    private protected async Task ConnectAsync(Gateway gateway, string session, Device device)
    {
        await gateway.SendAsync(new ExternalClient
        {
            Connect = new Connect { SessionId = session, Company = "company", VehicleName = gateway.Car, Devices = { device } },
        });
        Assert.Equal(session, (await gateway.NextAsync(TestTimeout)).ConnectResponse.SessionId);
        await gateway.StatusAsync(session, DeviceState.Connecting, 1, device, "first");
        Assert.Equal(1u, (await gateway.NextAsync(TestTimeout)).StatusResponse.MessageCounter);
        var command = (await gateway.NextAsync(TestTimeout)).Command;
        await gateway.SendAsync(new ExternalClient
        {
            CommandResponse = new CommandResponse { SessionId = session, MessageCounter = command.MessageCounter },
        });
    }

    private protected async Task RoundTripAsync(Gateway gateway, string session, uint counter, Device device)
    {
        await gateway.StatusAsync(session, DeviceState.Running, counter, device, "s");
        Assert.Equal(counter, (await gateway.NextAsync(TestTimeout)).StatusResponse.MessageCounter);
    }
}
