using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Modules.Calls;

namespace Mooring.Fleet.Modules.Managed;

/// <summary>A C# module of one car.</summary>
internal sealed partial class ManagedSlot(IServerModule module, ServerModuleContext context, CallThreads threads, ModuleRuntime runtime)
    : QueuedSlot(context.Number, context.Car, threads, runtime)
{
    private readonly CancellationTokenSource _stopping = new();

    public override bool IsBusy => false;

    internal override void Start() => context.Open(CommandReady);

    internal override bool IsSupported(uint deviceType)
    {
        try
        {
            return module.IsSupported(deviceType);
        }
        catch (Exception e)
        {
            LogThrew(Runtime.Logger, CarName, Number, nameof(IServerModule.IsSupported), e.GetType().Name, e.Message);
            return false;
        }
    }

    public override async ValueTask<int> CallAsync(ModuleCall call)
    {
        if (call.Span is { } span) Activity.Current = span;
        try
        {
            return await InvokeAsync(call);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return ModuleCode.Ok;
        }
        catch (Exception e)
        {
            LogThrew(Runtime.Logger, CarName, Number, call.Kind.ToString(), e.GetType().Name, e.Message);
            return ModuleCode.Told;
        }
    }

    internal override async ValueTask StopAsync()
    {
        context.Close();
        await _stopping.CancelAsync();
        var end = DestroyAsync();
        try
        {
            await end.WaitAsync(Runtime.Limits.StopMax, Runtime.Time);
        }
        catch (TimeoutException)
        {
            LogLeft(Runtime.Logger, CarName, Number, Runtime.Limits.StopMax.TotalSeconds);
        }
    }

    private async ValueTask<int> InvokeAsync(ModuleCall call)
    {
        var device = ModuleDevice.Of(call.Device);
        switch (call.Kind)
        {
            case ModuleCallKind.Connected:
                // To refuse is no fault; the car tells that it lacks the device.
                return await module.DeviceConnectedAsync(device, _stopping.Token) ? ModuleCode.Ok : ModuleCode.Told;
            case ModuleCallKind.DisconnectedAnnounced:
                await module.DeviceDisconnectedAsync(device, DeviceLoss.Announced, _stopping.Token);
                break;
            case ModuleCallKind.DisconnectedTimeout:
                await module.DeviceDisconnectedAsync(device, DeviceLoss.SessionEnded, _stopping.Token);
                break;
            case ModuleCallKind.Status:
                await module.StatusAsync(device, call.Data.Memory, _stopping.Token);
                break;
            case ModuleCallKind.Error:
                await module.ErrorAsync(device, call.Data.Memory, _stopping.Token);
                break;
            case ModuleCallKind.Acknowledge:
                await module.CommandDeliveredAsync(device, call.Data.Memory, _stopping.Token);
                break;
            default:
                await module.DisposeAsync();
                break;
        }
        return ModuleCode.Ok;
    }

    [LoggerMessage(4210, LogLevel.Error, "Car {Car}: module {Module} failed in {Call}: {Exception}: {Reason}")]
    private static partial void LogThrew(ILogger logger, string car, int module, string call, string exception, string reason);

    [LoggerMessage(4211, LogLevel.Warning, "Car {Car}: module {Module} did not return from its last call within {Seconds} s; it is disposed when it does")]
    private static partial void LogLeft(ILogger logger, string car, int module, double seconds);
}
