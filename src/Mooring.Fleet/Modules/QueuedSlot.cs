using System.Diagnostics;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Modules.Calls;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Modules;

/// <summary>What modules of all kinds have in common: calls through a queue, codes that are told and never stop a car.</summary>
internal abstract partial class QueuedSlot : ModuleSlot, ICallTarget
{
    private readonly ModuleRuntime _runtime;
    private readonly CallQueue _calls;
    private long _dropped;

    /// <param name="number">Number of the module.</param>
    /// <param name="car">Name of the car, for the log.</param>
    /// <param name="threads">Threads of the module's library.</param>
    /// <param name="runtime">What all modules share.</param>
    protected QueuedSlot(int number, string car, CallThreads threads, ModuleRuntime runtime)
    {
        Number = number;
        CarName = car;
        _runtime = runtime;
        _calls = new CallQueue(this, threads, runtime.SharedCalls, runtime.Limits, runtime.Time);
    }

    internal sealed override int Number { get; }

    internal string CarName { get; }

    public abstract bool IsBusy { get; }

    protected ModuleRuntime Runtime => _runtime;

    private ILogger Logger => _runtime.Logger;

    public abstract ValueTask<int> CallAsync(ModuleCall call);

    void ICallTarget.OnDropped(in ModuleCall call)
    {
        var dropped = Interlocked.Increment(ref _dropped);
        // One line for each power of two: a hung module must not fill the log too.
        if (long.IsPow2(dropped)) LogDropped(Logger, CarName, Number, call.Kind, dropped);
    }

    void ICallTarget.OnOverdue() => LogOverdue(Logger, CarName, Number, _runtime.Limits.CallMax.TotalSeconds, _runtime.Limits.WaitingCalls);

    void ICallTarget.OnRecovered() => LogRecovered(Logger, CarName, Number, Interlocked.Exchange(ref _dropped, 0));

    internal sealed override async ValueTask<bool> ConnectedAsync(Device device)
    {
        var code = await _calls.RunAsync(new ModuleCall(ModuleCallKind.Connected, device, ByteString.Empty));
        if (code is not (null or ModuleCode.Ok or ModuleCode.Told)) LogFailed(Logger, CarName, Number, ModuleCallKind.Connected, ModuleCode.Describe(code.Value));
        return code == ModuleCode.Ok;
    }

    internal sealed override async ValueTask DisconnectedAsync(Device device, bool announced)
    {
        var kind = announced ? ModuleCallKind.DisconnectedAnnounced : ModuleCallKind.DisconnectedTimeout;
        var code = await _calls.RunAsync(new ModuleCall(kind, device, ByteString.Empty));
        if (code == ModuleCode.NotOk) LogWasNotConnected(Logger, CarName, Number, device.DeviceRole);
        else if (code is not (null or ModuleCode.Ok or ModuleCode.Told)) LogFailed(Logger, CarName, Number, kind, ModuleCode.Describe(code.Value));
    }

    internal sealed override ValueTask ForwardStatusAsync(ByteString status, Device device) =>
        RunAsync(new ModuleCall(ModuleCallKind.Status, device, status) { Span = Activity.Current });

    internal sealed override ValueTask ForwardErrorAsync(ByteString error, Device device) =>
        RunAsync(new ModuleCall(ModuleCallKind.Error, device, error) { Span = Activity.Current });

    internal sealed override ValueTask AcknowledgeAsync(CarCommand command) =>
        RunAsync(new ModuleCall(ModuleCallKind.Acknowledge, command.Device, command.Data));

    /// <summary>Makes the last call, after all that wait.</summary>
    protected async Task DestroyAsync() =>
        Tell(ModuleCallKind.Destroy, await _calls.RunAsync(new ModuleCall(ModuleCallKind.Destroy, new Device(), ByteString.Empty)));

    private ValueTask RunAsync(in ModuleCall call)
    {
        var code = _calls.RunAsync(call);
        // Nearly every call of a quick module ends here.
        if (code.IsCompletedSuccessfully)
        {
            Tell(call.Kind, code.Result);
            return ValueTask.CompletedTask;
        }
        return TellLaterAsync(call.Kind, code);
    }

    private async ValueTask TellLaterAsync(ModuleCallKind kind, ValueTask<int?> code) => Tell(kind, await code);

    private void Tell(ModuleCallKind kind, int? code)
    {
        if (code is not (null or ModuleCode.Ok or ModuleCode.Told)) LogFailed(Logger, CarName, Number, kind, ModuleCode.Describe(code.Value));
    }

    [LoggerMessage(4200, LogLevel.Error, "Car {Car}: module {Module} answered {Call} with {Code}")]
    private static partial void LogFailed(ILogger logger, string car, int module, ModuleCallKind call, string code);

    [LoggerMessage(4201, LogLevel.Warning, "Car {Car}: module {Module} did not know the device {Role} that is gone")]
    private static partial void LogWasNotConnected(ILogger logger, string car, int module, string role);

    [LoggerMessage(4202, LogLevel.Error, "Car {Car}: module {Module} has not returned from a call for {Seconds} s; the car goes on, up to {Max} calls wait")]
    private static partial void LogOverdue(ILogger logger, string car, int module, double seconds, int max);

    [LoggerMessage(4203, LogLevel.Warning, "Car {Car}: module {Module} answers again; {Dropped} call(s) were dropped")]
    private static partial void LogRecovered(ILogger logger, string car, int module, long dropped);

    [LoggerMessage(4204, LogLevel.Error, "Car {Car}: module {Module} does not return, {Call} was dropped ({Count} so far)")]
    private static partial void LogDropped(ILogger logger, string car, int module, ModuleCallKind call, long count);
}
