using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Modules.Calls;
using Mooring.Fleet.Modules.Polling;

namespace Mooring.Fleet.Modules.Native;

/// <summary>A native module of one car.</summary>
internal sealed partial class NativeSlot(NativeContext context, NativeHome home, TimeSpan pollTimeout, string car, ModuleRuntime runtime)
    : QueuedSlot(home.Library.Number, car, home.Threads, runtime), IPollTarget
{
    /// <summary>Pause after the first failed poll.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    private Poller? _poller;
    private bool _hasMore;
    private int _failures;

    public override bool IsBusy => context.IsBusy;

    internal override void Start() => _poller = home.Polling.Start(this, pollTimeout, home.Rounds);

    internal override bool IsSupported(uint deviceType) => home.Library.IsSupported(deviceType);

    public override ValueTask<int> CallAsync(ModuleCall call) => new(call.Kind switch
    {
        ModuleCallKind.Connected => context.Connect(call.Device),
        ModuleCallKind.DisconnectedAnnounced => context.DisconnectAnnounced(call.Device),
        ModuleCallKind.DisconnectedTimeout => context.DisconnectTimeout(call.Device),
        ModuleCallKind.Status => ForwardStatus(call),
        ModuleCallKind.Error => context.ForwardError(call.Data, call.Device),
        ModuleCallKind.Acknowledge => context.Acknowledge(new CarCommand(call.Device, call.Data)),
        _ => context.Destroy(),
    });

    private int ForwardStatus(in ModuleCall call)
    {
        var code = context.ForwardStatus(call.Data, call.Device);
        if (_poller is { } poller) home.Rounds.Urge(poller);
        return code;
    }

    TimeSpan IPollTarget.Poll(TimeSpan timeout)
    {
        if (!_hasMore)
        {
            var startedAt = Runtime.Time.GetTimestamp();
            var code = context.Wait(timeout);
            if (code == ModuleCode.TimeoutOccurred)
            {
                _failures = 0;
                // One that does not wait when asked to must not keep a processor busy.
                return Runtime.Time.GetElapsedTime(startedAt) < timeout / 2 ? Runtime.Polling.Interval : TimeSpan.Zero;
            }
            if (code != ModuleCode.Ok) return Fail("wait_for_command", code);
            _hasMore = true;
        }
        // In a round nobody waits for a call that may take long; the next round finds the commands still there.
        if (timeout == TimeSpan.Zero && context.IsBusy) return TimeSpan.Zero;
        var left = context.Pop(Runtime.Limits.CommandsPerPoll, Give);
        _hasMore = left > 0;
        if (left < 0) return Fail("pop_command", left);
        _failures = 0;
        return TimeSpan.Zero;
    }

    void IPollTarget.OnBlocks() => LogBlocks(Runtime.Logger, CarName, Number);

    internal override async ValueTask StopAsync()
    {
        var end = EndAsync();
        try
        {
            await end.WaitAsync(Runtime.Limits.StopMax, Runtime.Time);
        }
        catch (TimeoutException)
        {
            // Destroying the context under a running call would crash the process. It happens when the call returns.
            LogLeft(Runtime.Logger, CarName, Number, Runtime.Limits.StopMax.TotalSeconds);
        }
    }

    private async Task EndAsync()
    {
        if (_poller is not null)
        {
            var end = _poller.StopAsync();
            home.Rounds.Urge(_poller);
            await end;
        }
        await DestroyAsync();
    }

    private void Give(CarCommand command) => CommandReady?.Invoke(command);

    private TimeSpan Fail(string call, int code)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(_failures, 10));
        _failures++;
        // The first, then ever fewer: a module that fails for a day leaves some twenty lines.
        if (int.IsPow2(_failures)) LogPollFailed(Runtime.Logger, CarName, Number, call, ModuleCode.Describe(code), _failures);
        return pause < Runtime.Limits.PollPauseMax ? pause : Runtime.Limits.PollPauseMax;
    }

    [LoggerMessage(4205, LogLevel.Error, "Car {Car}: module {Module} answered {Call} with {Code} ({Failures} in a row)")]
    private static partial void LogPollFailed(ILogger logger, string car, int module, string call, string code, int failures);

    [LoggerMessage(4206, LogLevel.Warning, "Car {Car}: module {Module} blocks in wait_for_command with a time-out of 0; it gets a thread of its own")]
    private static partial void LogBlocks(ILogger logger, string car, int module);

    [LoggerMessage(4207, LogLevel.Warning, "Car {Car}: module {Module} did not return from its last call within {Seconds} s; it is destroyed when it does")]
    private static partial void LogLeft(ILogger logger, string car, int module, double seconds);
}
