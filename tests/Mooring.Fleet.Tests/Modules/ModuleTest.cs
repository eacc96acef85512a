using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Google.Protobuf;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules;
using Mooring.Fleet.Modules.Calls;
using Mooring.Fleet.Protocol;
using Mooring.Testing;

namespace Mooring.Fleet.Tests.Modules;

/// <summary>Loads modules and collects what they give.</summary>
public abstract class ModuleTest : MooringTest
{
    private readonly List<ModuleSlot> _slots = [];
    private readonly Channel<CarCommand> _commands = Channel.CreateBounded<CarCommand>(10_000);
    private ModuleLoader? _loader;

    private protected PollingOptions Polling { get; set; } = new() { Interval = TimeSpan.FromMilliseconds(5) };

    private protected ModuleLimits Limits { get; set; } = new();

    private protected ModuleLoader Loader => _loader ??= new(Polling, Limits, TimeProvider.System, LoggerFactory.CreateLogger("modules"));

    private protected static ModuleOptions Module(int number, string library, params (string Key, string Value)[] parameters) => new()
    {
        Number = number,
        Library = library,
        Parameters = [.. parameters.Select(p => KeyValuePair.Create(p.Key, p.Value))],
        PollTimeout = TimeSpan.FromMilliseconds(200),
    };

    private protected async Task<ModuleSlot> LoadAsync(ModuleOptions module, string car = "car", bool start = true)
    {
        var slot = await Loader.LoadAsync(module, "company", car, TestTimeout);
        lock (_slots) _slots.Add(slot);
        slot.CommandReady = command => Assert.True(_commands.Writer.TryWrite(command));
        if (start) slot.Start();
        return slot;
    }

    private protected Task<ModuleSlot> LoadFaultsAsync(params (string Key, string Value)[] parameters) =>
        LoadAsync(Module(7, NativeLibraries.Faults, parameters));

    private protected async Task<CarCommand> CommandAsync() => await _commands.Reader.ReadAsync(TestTimeout);

    private protected bool HasCommand => _commands.Reader.TryPeek(out _);

    private protected static Device Device(string role, uint type = 0, int module = 7) =>
        new() { Module = (Device.Types.Module)module, DeviceType = type, DeviceRole = role, DeviceName = "name of " + role };

    private protected static ByteString Bytes(params byte[] bytes) => ByteString.CopyFrom(bytes);

    private protected Task UntilAsync(Func<bool> isTrue, [CallerArgumentExpression(nameof(isTrue))] string what = "") =>
        Eventually.TrueAsync(isTrue, what, TestTimeout);

    private protected async Task<string> RefusalAsync(ModuleOptions module) =>
        (await Assert.ThrowsAsync<ModuleException>(async () => await LoadAsync(module))).Message;

    public override async ValueTask DisposeAsync()
    {
        foreach (var slot in _slots) await slot.StopAsync();
        _loader?.Dispose();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
