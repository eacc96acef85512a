using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;

namespace Mooring.Fleet.Tests.Modules;

[Collection("native modules")]
[Trait("Peer", "real")]
public sealed class NativeCallTests : ModuleTest
{
    [Fact]
    public async Task Sample_buttonTogglesItsLight()
    {
        var slot = await LoadAsync(Module(1000, NativeLibraries.Sample));
        var button = Device("left", module: 1000);
        Assert.True(slot.IsSupported(0));
        Assert.False(slot.IsSupported(2));
        Assert.True(await slot.ConnectedAsync(button));
        var pressed = Google.Protobuf.ByteString.CopyFromUtf8("{\"pressed\": true}");
        await slot.ForwardStatusAsync(pressed, button);
        var command = await CommandAsync();
        Assert.Equal("{\"lit_up\": true}", command.Data.ToStringUtf8());
        Assert.Equal(button, command.Device);
        await slot.ForwardStatusAsync(pressed, button);
        Assert.Equal("{\"lit_up\": false}", (await CommandAsync()).Data.ToStringUtf8());
        await slot.AcknowledgeAsync(command);
        await slot.DisconnectedAsync(button, announced: true);
    }

    [Fact]
    public async Task C164_bytes_with_zeros_passUnchangedInBothDirections()
    {
        var slot = await LoadFaultsAsync();
        foreach (var data in new[] { Bytes(), Bytes(0), Bytes(0x61, 0, 0x62), Bytes([.. Enumerable.Range(0, 70_000).Select(i => (byte)(i % 251))]) })
        {
            await slot.ForwardStatusAsync(data, Device("röle", 3));
            var command = await CommandAsync();
            Assert.Equal(data, command.Data);
            Assert.Equal(Device("röle", 3), command.Device);
        }
    }

    [Fact]
    public async Task EveryBufferOfTheModule_isFreedByTheModule()
    {
        var (allocated, freed) = (Faults.Allocated, Faults.Freed);
        var slot = await LoadFaultsAsync();
        for (var i = 0; i < 500; i++) await slot.ForwardStatusAsync(Bytes(1, 2, 3), Device("r"));
        for (var i = 0; i < 500; i++) await CommandAsync();
        await slot.StopAsync();
        Assert.Equal(1500, Faults.Allocated - allocated);
        Assert.Equal(1500, Faults.Freed - freed);
    }

    [Fact]
    public async Task CallsOfOneContext_neverOverlap()
    {
        var overlaps = Faults.Overlaps;
        var slot = await LoadFaultsAsync();
        // Two sides at a time: the car's calls, and the commands that are fetched.
        for (var i = 0; i < 2000; i++)
        {
            await slot.ForwardStatusAsync(Bytes(1), Device("r"));
            await slot.AcknowledgeAsync(new CarCommand(Device("r"), Bytes(1)));
        }
        for (var i = 0; i < 2000; i++) await CommandAsync();
        Assert.Equal(overlaps, Faults.Overlaps);
    }

    [Fact]
    public async Task C109_codes_areLogged_andTheNextCallGoesOn()
    {
        Expect(4200);
        var slot = await LoadFaultsAsync(("status", "-3"), ("error", "-77"), ("ack", "-1"), ("connected", "-11"));
        Assert.False(await slot.ConnectedAsync(Device("r")));
        await slot.ForwardStatusAsync(Bytes(1), Device("r"));
        await slot.ForwardErrorAsync(Bytes(1), Device("r"));
        await slot.AcknowledgeAsync(new CarCommand(Device("r"), Bytes(1)));
        Assert.Equal(
            [
                "Car car: module 7 answered Connected with CONTEXT_INCORRECT (-11)",
                "Car car: module 7 answered Status with -3",
                "Car car: module 7 answered Error with -77",
                "Car car: module 7 answered Acknowledge with NOT_OK (-1)",
            ],
            Log.Entries.Where(e => e.Event.Id == 4200).Select(e => e.Message));
        Assert.Equal(1, (await CommandAsync()).Data.Length);
    }

    [Theory]
    [InlineData("-1", LogLevel.Warning)]
    [InlineData("-11", LogLevel.Error)]
    [InlineData("-5", LogLevel.Error)]
    public async Task C161_device_disconnected_code_setsTheLevel(string code, LogLevel level)
    {
        Expect(4200);
        var slot = await LoadFaultsAsync(("disconnected", code));
        await slot.DisconnectedAsync(Device("r"), announced: false);
        Assert.Equal(level, Assert.Single(Log.Entries, e => e.Event.Id is 4200 or 4201).Level);
    }

    [Fact]
    public async Task C160_connect_and_disconnect_areOk()
    {
        var slot = await LoadAsync(Module(1000, NativeLibraries.Sample));
        Assert.True(await slot.ConnectedAsync(Device("r", module: 1000)));
        await slot.DisconnectedAsync(Device("r", module: 1000), announced: false);
        Assert.DoesNotContain(Log.Entries, e => e.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task DestroyCode_isLogged_andTheContextIsGone()
    {
        Expect(4200);
        var slot = await LoadFaultsAsync(("destroy", "-1"));
        Assert.Equal(1, Faults.Contexts);
        await slot.StopAsync();
        Assert.Equal(0, Faults.Contexts);
        Assert.Equal("Car car: module 7 answered Destroy with NOT_OK (-1)", Assert.Single(Log.Entries, e => e.Event.Id == 4200).Message);
    }

    [Fact]
    public async Task SlotThatWasNeverStarted_isDestroyed()
    {
        var slot = await LoadAsync(Module(7, NativeLibraries.Faults), start: false);
        await slot.StopAsync();
        Assert.Equal(0, Faults.Contexts);
    }
}
