using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;

namespace Mooring.Fleet.Tests.Servers;

public sealed class FleetServerTests : FleetServerTest
{
    [Fact]
    public async Task C048_before_a_gateway_comes_a_car_has_its_modules_and_nothing_else()
    {
        var server = NewServer(Options("a"));
        Assert.Empty(server.Seats);
        await server.StartAsync(TestTimeout);
        var car = server.Seats["a"].Car!;
        Assert.Empty(car.Devices);
        Assert.Equal("", car.SessionId);
        Assert.Equal(1000, Assert.Single(car.Slots).Number);
    }

    [Theory]
    [InlineData(FleetConnections.Shared, 4)]
    [InlineData(FleetConnections.PerCar, 6)]
    public async Task Cars_share_up_to_four_connections_or_have_their_own(FleetConnections connections, int expected)
    {
        var server = await StartAsync(Options("a", "b", "c", "d", "e", "f") with { Connections = connections });
        Assert.Equal(expected, server.LinkCount);
        foreach (var car in server.Options.Cars) await ConnectAsync(await GatewayAsync(car.Name), "s", DeviceOf("r"));
    }

    [Fact]
    public async Task C051_two_cars_run_independently_and_one_that_fails_leaves_the_other_running()
    {
        var server = await StartAsync(Options("a", "b"));
        var (a, b) = (await GatewayAsync("a"), await GatewayAsync("b"));
        await ConnectAsync(a, "sa", DeviceOf("r"));
        await ConnectAsync(b, "sb", DeviceOf("r"));
        await a.StatusAsync("sa", Protocol.Status.Types.DeviceState.Running, 1_000_000, DeviceOf("r"), "far ahead");
        await a.NoteAsync(TestTimeout);
        await RoundTripAsync(b, "sb", 2, DeviceOf("r"));
        Assert.Equal(CarState.Running, server.Seats["b"].Car!.State);
        Assert.True(b.IsQuiet);
    }

    [Fact]
    public async Task C125_commands_for_two_modules_of_two_cars_reach_the_right_car_and_device()
    {
        var both = new[] { new ModuleOptions { Number = 1, Library = "x" }, new ModuleOptions { Number = 2, Library = "y" } };
        await StartAsync(Options() with { Cars = [new CarOptions { Name = "a", Modules = both }, new CarOptions { Name = "b", Modules = both }] });
        foreach (var (car, module) in new[] { ("a", 1), ("b", 2) })
        {
            var gateway = await GatewayAsync(car);
            await ConnectAsync(gateway, "s", DeviceOf("role_" + car, module));
            await RoundTripAsync(gateway, "s", 2, DeviceOf("role_" + car, module));
            Loader.Modules[(car, module)].Give(DeviceOf("role_" + car, module), "for " + car);
            var command = (await gateway.NextAsync(TestTimeout)).Command.DeviceCommand;
            Assert.Equal("for " + car, command.CommandData.ToStringUtf8());
            Assert.Equal(("role_" + car, "n"), (command.Device.DeviceRole, command.Device.DeviceName));
        }
    }

    [Fact]
    public async Task C045_start_fails_with_every_module_that_cannot_be_used_and_destroys_the_others()
    {
        Expect(4113);
        Loader.Broken.Add("bad");
        var bad = new[] { new ModuleOptions { Number = 7, Library = "bad" } };
        var server = NewServer(Options("good") with
        {
            Cars = [CarOptionsOf("good"), new CarOptions { Name = "a", Modules = bad }, new CarOptions { Name = "b", Modules = bad }],
        });
        var refused = await Assert.ThrowsAsync<FleetStartException>(() => server.StartAsync(TestTimeout));
        Assert.Equal(["car a: module 7 (bad): is broken", "car b: module 7 (bad): is broken"], refused.Failures);
        Assert.Equal(["destroy"], Loader.Modules[("good", 1000)].Calls);
    }

    [Fact]
    public async Task S5_partial_start_runs_the_other_cars_and_shows_the_failure()
    {
        Expect(4113);
        Loader.Broken.Add("bad");
        var server = await StartAsync(Options() with
        {
            StartPartially = true,
            Cars = [CarOptionsOf("good"), new CarOptions { Name = "a", Modules = [new ModuleOptions { Number = 7, Library = "bad" }] }],
        });
        await ConnectAsync(await GatewayAsync("good"), "s", DeviceOf("r"));
        Assert.Equal(CarState.Error, server.Seats["a"].State);
        Assert.Equal("car a: module 7 (bad): is broken", server.Seats["a"].LoadFailure);
    }

    [Fact]
    public async Task Reload_touches_only_cars_that_changed()
    {
        var server = await StartAsync(Options("kept", "changed", "removed"));
        var (kept, changed, removed) = (await GatewayAsync("kept"), await GatewayAsync("changed"), await GatewayAsync("removed"));
        foreach (var gateway in new[] { kept, changed, removed }) await ConnectAsync(gateway, "s", DeviceOf("r"));
        var keptCar = server.Seats["kept"].Car;
        var other = CarOptionsOf("changed") with
        {
            Modules = [new ModuleOptions { Number = 1000, Library = "good", Parameters = [new("key", "new")] }],
        };

        await server.ReloadAsync(Options() with { Cars = [CarOptionsOf("kept"), other, CarOptionsOf("added")] }, TestTimeout);

        await changed.NoteAsync(TestTimeout);
        await removed.NoteAsync(TestTimeout);
        Assert.Same(keptCar, server.Seats["kept"].Car);
        await RoundTripAsync(kept, "s", 2, DeviceOf("r"));
        Assert.True(kept.IsQuiet);
        await ConnectAsync(changed, "s2", DeviceOf("r"));
        await ConnectAsync(await GatewayAsync("added"), "s", DeviceOf("r"));
        Assert.Equal(["added", "changed", "kept"], server.Seats.Keys.Order());
    }

    [Fact]
    public async Task Reload_with_a_module_that_cannot_be_used_changes_nothing()
    {
        Expect(4113);
        var server = await StartAsync(Options("a"));
        var gateway = await GatewayAsync("a");
        await ConnectAsync(gateway, "s", DeviceOf("r"));
        Loader.Broken.Add("bad");
        var bad = new CarOptions { Name = "a", Modules = [new ModuleOptions { Number = 7, Library = "bad" }] };
        await Assert.ThrowsAsync<FleetStartException>(() => server.ReloadAsync(Options() with { Cars = [bad] }, TestTimeout));
        await RoundTripAsync(gateway, "s", 2, DeviceOf("r"));
    }

    [Fact]
    public async Task Reload_with_another_broker_reconnects_all_cars()
    {
        var server = await StartAsync(Options("a"));
        var gateway = await GatewayAsync("a");
        await ConnectAsync(gateway, "s", DeviceOf("r"));
        await server.ReloadAsync(Options("a") with { Broker = new FleetBrokerOptions { Host = "localhost", Port = 1884 } }, TestTimeout);
        await gateway.NoteAsync(TestTimeout);
        await ConnectAsync(gateway, "s2", DeviceOf("r"));
    }

    [Fact]
    public async Task C049_S4_stop_sends_notes_to_two_thousand_cars_at_once_and_destroys_their_modules()
    {
        var names = Enumerable.Range(0, 2000).Select(i => $"car{i}").ToArray();
        var server = await StartAsync(Options(names));
        var gateway = await GatewayAsync("car7");
        await ConnectAsync(gateway, "s", DeviceOf("r"));
        await server.StopAsync();
        await gateway.NoteAsync(TestTimeout);
        Assert.All(server.Seats.Values, s => Assert.Equal(CarState.Stopped, s.State));
        Assert.All(Loader.Modules.Values, m => Assert.Equal("destroy", m.Calls[^1]));
    }

    [Fact]
    public async Task S2_module_that_hangs_does_not_hold_up_another_car_nor_the_stop()
    {
        var server = await StartAsync(Options("slow", "quick"));
        var (slow, quick) = (await GatewayAsync("slow"), await GatewayAsync("quick"));
        await ConnectAsync(slow, "s", DeviceOf("r"));
        await ConnectAsync(quick, "s", DeviceOf("r"));
        Loader.Modules[("slow", 1000)].Hangs = true;
        await slow.StatusAsync("s", Protocol.Status.Types.DeviceState.Running, 2, DeviceOf("r"), "never forwarded");
        await RoundTripAsync(quick, "s", 2, DeviceOf("r"));
        await server.StopAsync();
        await quick.NoteAsync(TestTimeout);
        await LoggedAsync(4111);
    }

    [Fact]
    public async Task Disabled_car_does_not_listen_until_it_is_enabled()
    {
        var server = await StartAsync(Options("a"));
        var gateway = await GatewayAsync("a");
        await ConnectAsync(gateway, "s", DeviceOf("r"));
        Assert.True(await server.EnableAsync("a", isEnabled: false, TestTimeout));
        await gateway.NoteAsync(TestTimeout);
        Assert.Equal(CarState.Stopped, server.Seats["a"].State);
        Assert.True(await server.EnableAsync("a", isEnabled: true, TestTimeout));
        await ConnectAsync(gateway, "s", DeviceOf("r"));
        Assert.False(await server.EnableAsync("nobody", isEnabled: true, TestTimeout));
    }
}
