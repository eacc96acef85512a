using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules.Calls;

namespace Mooring.Fleet.Tests.Modules;

/// <summary>Modules that hang: whatever they do, other cars and other modules go on.</summary>
[Collection("native modules")]
[Trait("Peer", "real")]
public sealed class SlowModuleTests : ModuleTest
{
    public SlowModuleTests() => Faults.Release(false);

    public override ValueTask DisposeAsync()
    {
        Faults.Release();
        return base.DisposeAsync();
    }

    [Fact]
    public async Task CarsWhoseModuleHangs_doNotStallTheOthers()
    {
        var hung = new List<Task>();
        for (var i = 0; i < 40; i++)
        {
            var slot = await LoadAsync(Module(7, NativeLibraries.Faults, ("hold", "status")), $"hung{i}");
            hung.Add(Task.Run(async () => await slot.ForwardStatusAsync(Bytes(1), Device("r")), TestTimeout));
        }
        await UntilAsync(() => Faults.Held == 40);
        var well = await LoadFaultsAsync();
        for (var i = 0; i < 100; i++) await well.ForwardStatusAsync(Bytes(2), Device("r"));
        for (var i = 0; i < 100; i++) Assert.Equal(Bytes(2), (await CommandAsync()).Data);
        Assert.DoesNotContain(hung, h => h.IsCompleted);
        Faults.Release();
        await Task.WhenAll(hung);
    }

    [Fact]
    public async Task LibraryWhoseThreadsAllHang_doesNotStallAnotherLibrary()
    {
        Limits = new ModuleLimits { CallThreads = 2, SharedCalls = 1 };
        var hung = new List<Task>();
        for (var i = 0; i < 6; i++)
        {
            var slot = await LoadAsync(Module(7, NativeLibraries.Faults, ("hold", "status")), $"hung{i}");
            hung.Add(Task.Run(async () => await slot.ForwardStatusAsync(Bytes(1), Device("r")), TestTimeout));
        }
        await UntilAsync(() => Faults.Held == 3);
        var well = await LoadAsync(Module(1000, NativeLibraries.Sample));
        var echo = Device("echo", 1, 1000);
        Assert.True(await well.ConnectedAsync(echo));
        for (var i = 0; i < 100; i++) await well.ForwardStatusAsync(Bytes(2), echo);
        for (var i = 0; i < 100; i++) Assert.Equal(Bytes(2), (await CommandAsync()).Data);
        Assert.DoesNotContain(hung, h => h.IsCompleted);
        Faults.Release();
        await Task.WhenAll(hung);
    }

    [Fact]
    public async Task HungModule_letsItsCarGoOn_keepsCallsUpToItsBound_thenDropsThemWithALine()
    {
        Expect(4202, 4204);
        Limits = new ModuleLimits { SharedCalls = 0, CallMax = TimeSpan.FromMilliseconds(100), WaitingCalls = 10 };
        var slot = await LoadFaultsAsync(("hold", "status"));
        for (byte i = 0; i < 20; i++) await slot.ForwardStatusAsync(Bytes(i), Device("r"));
        Assert.Equal(
            "Car car: module 7 has not returned from a call for 0.1 s; the car goes on, up to 10 calls wait", (await LoggedAsync(4202)).Message);
        Assert.Equal("Car car: module 7 does not return, Status was dropped (8 so far)", (await Log.WhenAsync(e => e.Message.Contains("(8"), TestTimeout)).Message);
        Faults.Release();
        // One ran, ten waited: in order. The nine after them are gone.
        for (byte i = 0; i < 11; i++) Assert.Equal(Bytes(i), (await CommandAsync()).Data);
        Assert.Equal("Car car: module 7 answers again; 9 call(s) were dropped", (await LoggedAsync(4203)).Message);
    }

    [Fact]
    public async Task StopWhileACallHangs_returns_andDestroysWhenTheCallDoes()
    {
        Limits = new ModuleLimits { SharedCalls = 0, StopMax = TimeSpan.FromMilliseconds(100) };
        var slot = await LoadFaultsAsync(("hold", "status"));
        var hung = slot.ForwardStatusAsync(Bytes(1), Device("r"));
        await UntilAsync(() => Faults.Held == 1);
        await slot.StopAsync();
        await LoggedAsync(4207);
        Assert.Equal(1, Faults.Contexts);
        Faults.Release();
        await hung;
        await UntilAsync(() => Faults.Contexts == 0);
    }

    [Fact]
    public async Task StopWhileWaitForCommandHangs_returns_andDestroysWhenItDoes()
    {
        Limits = new ModuleLimits { StopMax = TimeSpan.FromMilliseconds(100) };
        var slot = await LoadFaultsAsync(("hold", "wait"));
        await UntilAsync(() => Faults.Held == 1);
        await slot.StopAsync();
        await LoggedAsync(4207);
        Assert.Equal(1, Faults.Contexts);
        Faults.Release();
        await UntilAsync(() => Faults.Contexts == 0);
    }

    [Fact]
    public async Task PooledModuleThatBlocks_getsItsOwnThread_andTheRoundGoesOn()
    {
        Polling = Polling with { Mode = PollingMode.Pool };
        await LoadFaultsAsync(("hold", "wait"));
        await UntilAsync(() => Faults.Held == 1);
        var well = await LoadFaultsAsync();
        await well.ForwardStatusAsync(Bytes(2), Device("r"));
        Assert.Equal(Bytes(2), (await CommandAsync()).Data);
        await LoggedAsync(4206);
        Faults.Release();
    }

    [Fact]
    public async Task LibraryThatAlwaysBlocks_getsAThreadForEachCar()
    {
        Polling = Polling with { Mode = PollingMode.Pool };
        for (var i = 0; i < 50; i++) await LoadAsync(Module(7, NativeLibraries.Faults, ("hold", "wait")), $"car{i}");
        await UntilAsync(() => Faults.Held == 50);
        Faults.Release();
    }

    [Fact]
    public async Task PopThatHangs_doesNotStallTheRound()
    {
        Polling = Polling with { Mode = PollingMode.Pool };
        var hung = await LoadFaultsAsync(("hold", "pop"));
        await hung.ForwardStatusAsync(Bytes(1), Device("r"));
        await UntilAsync(() => Faults.Held == 1);
        var well = await LoadFaultsAsync();
        await well.ForwardStatusAsync(Bytes(2), Device("r"));
        Assert.Equal(Bytes(2), (await CommandAsync()).Data);
        Faults.Release();
        Assert.Equal(Bytes(1), (await CommandAsync()).Data);
    }
}
