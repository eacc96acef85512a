using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules;
using Mooring.Fleet.Modules.Calls;
using Mooring.Fleet.VirtualCars;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Fleet.Tests.VirtualCars;

/// <summary>Virtual cars, the embedded broker, the external server and the demo module: everything is the real thing.</summary>
public sealed class RealDriveTests : MooringTest
{
    private readonly MqttBroker _broker;
    private readonly ModuleLoader _loader;

    public RealDriveTests()
    {
        _broker = Own(new MqttBroker(new MqttBrokerOptions { Listeners = [] }, LoggerFactory.CreateLogger<MqttBroker>(), TimeProvider.System));
        _broker.Start();
        _loader = new ModuleLoader(new PollingOptions(), new ModuleLimits(), TimeProvider.System, LoggerFactory.CreateLogger("modules"));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _loader.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Cars_drive_andKeepDriving_whenTheServerIsReplaced()
    {
        var cars = Cars(20, FleetConnections.Shared);
        var server = Server(20);
        await server.StartAsync(TestTimeout);
        cars.Start();
        await cars.WhenRunningAsync(20, TestTimeout);
        await UntilAsync(cars, v => v.Commands > 200 && v.StatusesAnswered > 500);
        Assert.Equal((20, 0), (cars.View.Sessions, cars.View.Ended));

        await server.StopAsync();
        await cars.WhenRunningExactlyAsync(0, TestTimeout);
        Assert.All(EndReasons(), r => Assert.Equal("the server sent its disconnect note", r));

        var commands = cars.View.Commands;
        await Server(20).StartAsync(TestTimeout);
        await cars.WhenRunningAsync(20, TestTimeout);
        await UntilAsync(cars, v => v.Commands > commands + 200);
        foreach (var car in cars.Cars) Assert.True(((Fleet.VirtualCars.Devices.EchoDevice)car.Devices[^1]).Echoes > 0);
    }

    [Fact]
    public async Task Cars_thatAreSwitchedOff_leaveAtOnce_andComeBack()
    {
        var server = Server(5);
        await server.StartAsync(TestTimeout);
        for (var i = 0; i < 2; i++)
        {
            var cars = Cars(5, FleetConnections.PerCar);
            cars.Start();
            await cars.WhenRunningAsync(5, TestTimeout);
            await UntilAsync(cars, v => v.Commands > 20);
            await cars.StopAsync();
            await Eventually.TrueAsync(() => server.Seats.Values.All(s => s.Car!.State != CarState.Running), "the server to let all cars go", TestTimeout);
            await cars.DisposeAsync();
        }
    }

    private IEnumerable<string> EndReasons() =>
        Log.Entries.Where(e => e.Event.Id == 4301).Select(e => e.Message[(e.Message.IndexOf("ended: ", StringComparison.Ordinal) + 7)..]);

    private Task UntilAsync(VirtualFleet cars, Func<VirtualFleetView, bool> isSo, [CallerArgumentExpression(nameof(isSo))] string what = "") =>
        Eventually.TrueAsync(() => isSo(cars.View), what, TestTimeout);

    private VirtualFleet Cars(int count, FleetConnections connections) => Own(new VirtualFleet(
        new VirtualCarOptions
        {
            Company = "company",
            Names = VirtualCarOptions.NamesOf("car", count),
            Devices = [new(VirtualDeviceKind.Drive, "drive"), new(VirtualDeviceKind.Button, "button"), new(VirtualDeviceKind.Echo, "echo")],
            StatusesPerSecond = 50,
            Connections = connections,
            Timings = new GatewayTimings { ReconnectDelay = TimeSpan.FromMilliseconds(200), Step = TimeSpan.FromSeconds(10) },
        },
        id => _broker.CreateClient(id), TimeProvider.System, LoggerFactory.CreateLogger<VirtualFleet>()));

    private FleetServer Server(int cars) => Own(new FleetServer(
        new FleetOptions
        {
            Company = "company",
            Broker = new FleetBrokerOptions { Host = "127.0.0.1", Port = 1883 },
            Cars =
            [
                .. VirtualCarOptions.NamesOf("car", cars).Select(name => new CarOptions
                {
                    Name = name,
                    Modules = [new ModuleOptions { Number = 1000, Library = "builtin:demo" }],
                }),
            ],
        },
        (_, id) => _broker.CreateClient(id), _loader, TimeProvider.System, LoggerFactory.CreateLogger<FleetServer>()));
}
