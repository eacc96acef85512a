using Mooring.Fleet.Modules;
using Mooring.Fleet.Tests.Modules;

[assembly: ServerModule<TestModuleFactory>]

namespace Mooring.Fleet.Tests.Modules;

/// <summary>Makes this test program a module too: loaded by its path, it is an assembly like any other.</summary>
public sealed class TestModuleFactory : IServerModuleFactory
{
    public int Number => 7;

    public ValueTask<IServerModule> CreateAsync(ServerModuleContext context, CancellationToken cancellationToken) =>
        context.Parameters.TryGetValue("start", out var start) ? FailAsync(start, cancellationToken) : new(new TestModule(context));

    private static async ValueTask<IServerModule> FailAsync(string start, CancellationToken cancellationToken)
    {
        if (start == "hang") await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        throw start == "refuse" ? new ArgumentException("api_url is missing") : new InvalidOperationException("no such luck");
    }
}

/// <summary>Gives every status back, from another thread; throws where it is told to.</summary>
public sealed class TestModule(ServerModuleContext context) : IServerModule
{
    public bool IsSupported(uint deviceType) => deviceType < 10 ? true : throw new InvalidOperationException("type");

    public ValueTask<bool> DeviceConnectedAsync(ModuleDevice device, CancellationToken cancellationToken) =>
        ValueTask.FromResult(device.Role != "refused");

    public ValueTask DeviceDisconnectedAsync(ModuleDevice device, DeviceLoss reason, CancellationToken cancellationToken) =>
        Say(device, $"gone {reason}");

    public async ValueTask StatusAsync(ModuleDevice device, ReadOnlyMemory<byte> status, CancellationToken cancellationToken)
    {
        if (status.Span.SequenceEqual("throw"u8)) throw new FormatException("what is this?");
        if (status.Span.SequenceEqual("hang"u8)) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        await Task.Yield();
        context.TrySend(device, status.Span);
    }

    public ValueTask ErrorAsync(ModuleDevice device, ReadOnlyMemory<byte> error, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("before the first await");

    public ValueTask CommandDeliveredAsync(ModuleDevice device, ReadOnlyMemory<byte> command, CancellationToken cancellationToken) =>
        Say(device, "delivered");

    public ValueTask DisposeAsync() => Say(default, "disposed");

    private ValueTask Say(ModuleDevice device, string what)
    {
        context.TrySend(device with { Role = device.Role ?? "-", Name = device.Name ?? "" }, System.Text.Encoding.UTF8.GetBytes(what));
        return ValueTask.CompletedTask;
    }
}
