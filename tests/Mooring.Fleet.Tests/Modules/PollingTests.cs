using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;

namespace Mooring.Fleet.Tests.Modules;

[Collection("native modules")]
[Trait("Peer", "real")]
public sealed class PollingTests : ModuleTest
{
    [Theory]
    [InlineData(PollingMode.Threads)]
    [InlineData(PollingMode.Pool)]
    [InlineData(PollingMode.Auto)]
    public async Task CommandsOfManyCars_comeInOrderForEachCar(PollingMode mode)
    {
        Polling = Polling with { Mode = mode, ThreadsMax = 10 };
        const int Cars = 30;
        const int Commands = 250;
        var slots = await Task.WhenAll(Enumerable.Range(0, Cars).Select(i => LoadAsync(Module(7, NativeLibraries.Faults), $"car{i}")));
        await Task.WhenAll(slots.Select(async (slot, car) =>
        {
            for (var i = 0; i < Commands; i++) await slot.ForwardStatusAsync(Bytes((byte)i), Device($"r{car}"));
        }));
        var next = new Dictionary<string, int>();
        for (var i = 0; i < Cars * Commands; i++)
        {
            var command = await CommandAsync();
            var expected = next.GetValueOrDefault(command.Device.DeviceRole);
            Assert.Equal((byte)expected, command.Data[0]);
            next[command.Device.DeviceRole] = expected + 1;
        }
    }

    [Fact]
    public async Task CommandThatAnswersAStatus_doesNotWaitForTheNextRound()
    {
        // The longest pause between two rounds is half a second; five hundred answers, one after the other, would take minutes.
        const int Answers = 500;
        Polling = Polling with { Mode = PollingMode.Pool, Interval = TimeSpan.FromMinutes(10) };
        var slot = await LoadFaultsAsync();
        for (var i = 0; i < Answers; i++)
        {
            await slot.ForwardStatusAsync(Bytes((byte)i), Device("r"));
            Assert.Equal((byte)i, (await CommandAsync()).Data[0]);
        }
    }

    [Fact]
    public async Task C158_timeout_isNotLogged_andLeavesNothing()
    {
        await LoadFaultsAsync();
        var polls = Faults.Polls;
        await UntilAsync(() => Faults.Polls > polls + 2);
        Assert.False(HasCommand);
        Assert.Empty(Log.Entries);
    }

    [Theory]
    [InlineData(PollingMode.Threads)]
    [InlineData(PollingMode.Pool)]
    public async Task C158_waitThatFails_isLogged_andNotAskedAgainAtOnce(PollingMode mode)
    {
        Expect(4205);
        Polling = Polling with { Mode = mode };
        var polls = Faults.Polls;
        await LoadFaultsAsync(("wait", "-11"));
        await Log.WhenAsync(e => e.Event.Id == 4205 && e.Message.Contains("(4 in a row)", StringComparison.Ordinal), TestTimeout);
        Assert.Equal(
            "Car car: module 7 answered wait_for_command with CONTEXT_INCORRECT (-11) (1 in a row)",
            Log.Entries.First(e => e.Event.Id == 4205).Message);
        // A pause of 0.1 s that doubles: thousands of polls would be a busy loop.
        Assert.InRange(Faults.Polls - polls, 4, 6);
    }

    [Fact]
    public async Task PopThatFails_isLogged_andItsCommandIsFreedAndDropped()
    {
        Expect(4205);
        var (allocated, freed) = (Faults.Allocated, Faults.Freed);
        var slot = await LoadFaultsAsync(("pop", "-5"));
        await slot.ForwardStatusAsync(Bytes(1), Device("r"));
        Assert.Equal(LogLevel.Error, (await LoggedAsync(4205)).Level);
        await slot.StopAsync();
        Assert.False(HasCommand);
        Assert.Equal(3, Faults.Allocated - allocated);
        Assert.Equal(3, Faults.Freed - freed);
    }

    [Fact]
    public async Task PopWithNothingFilledIn_isNoCommand()
    {
        await LoadFaultsAsync(("pop_empty", "1"));
        var polls = Faults.Polls;
        await UntilAsync(() => Faults.Polls > polls + 3);
        Assert.False(HasCommand);
    }

    [Fact]
    public async Task C156_nothingIsAskedBeforeTheStart_norAfterTheStop()
    {
        var polls = Faults.Polls;
        var slot = await LoadAsync(Module(7, NativeLibraries.Faults), start: false);
        Assert.Equal(polls, Faults.Polls);
        slot.Start();
        await UntilAsync(() => Faults.Polls > polls);
        await slot.StopAsync();
        var asked = Faults.Polls;
        Assert.Equal(0, Faults.Contexts);
        Assert.Equal(asked, Faults.Polls);
    }

    [Fact]
    public async Task WaitThatNeverWaits_isNotABusyLoop()
    {
        Polling = Polling with { Interval = TimeSpan.FromMilliseconds(50) };
        var polls = Faults.Polls;
        await LoadFaultsAsync(("wait_now", "1"));
        await UntilAsync(() => Faults.Polls >= polls + 4);
        Assert.InRange(Faults.Polls - polls, 4, 40);
    }
}
