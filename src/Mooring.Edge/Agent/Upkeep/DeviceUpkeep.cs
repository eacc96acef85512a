using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Kernel.Clocks;
using Mooring.Kernel.Links;

namespace Mooring.Edge.Agent.Upkeep;

/// <summary>
/// Keeps the registered devices as they are meant to be. Whatever happens, a crash, a plugged cable, a new monitor, only marks a device
/// to be looked at; one look compares what is meant with what is and takes the next step.
/// </summary>
internal sealed partial class DeviceUpkeep(
    AgentOptions options, EngineClient engine, AgentState state, OperationTable operations, DeviceAttachment attachment, DeviceNotes notes, TimeProvider time,
    ILogger<DeviceUpkeep> logger)
{
    /// <summary>A look at every device, for what no event told.</summary>
    internal static readonly TimeSpan PollPeriod = TimeSpan.FromSeconds(60);

    /// <summary>Wait between the end of a device and its restart: what an operator or the engine does meanwhile comes first.</summary>
    internal static readonly TimeSpan RestartDelay = TimeSpan.FromSeconds(3);

    /// <summary>Wait while somebody else works on a device.</summary>
    private static readonly TimeSpan BusyDelay = TimeSpan.FromSeconds(1);

    private const string CrashLoop = "crash loop:";

    /// <summary>Waits between tries to attach.</summary>
    private static readonly BackoffPolicy AttachBackoff = new() { First = TimeSpan.FromSeconds(1), Cap = TimeSpan.FromSeconds(300), Jitter = 0.3 };

    private readonly ConcurrentDictionary<string, Look> _looks = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changed = new(0, 1);

    /// <summary>A device gave up or is whole again: device and what happened.</summary>
    public event Action<string, string>? Happened;

    /// <summary>Whether a device has all that it needs around it.</summary>
    /// <param name="device">The device.</param>
    /// <param name="pid">Its first process: what was given to an earlier one is gone.</param>
    public bool IsAttached(string device, int pid) => _looks.TryGetValue(device, out var look) && look.AttachedPid == pid;

    /// <summary>Whether a device fell over so often that it is left alone.</summary>
    public bool HasGivenUp(string device) => _looks.TryGetValue(device, out var look) && look.GaveUpAt is not null;

    /// <summary>Has a device looked at, unless it is to be looked at sooner.</summary>
    public void Ask(string device, TimeSpan delay) => Mark(device, look => Earliest(look, delay));

    /// <summary>Has every device attached anew: the monitor came back and may have forgotten.</summary>
    public void AttachAll()
    {
        foreach (var (device, _) in state.Devices.Snapshot()) Reattach(device);
    }

    /// <summary>Has one device attached anew: it was changed.</summary>
    public void Reattach(string device) => Mark(device, look =>
    {
        look.Detach_NeedsLock();
        Earliest(look, TimeSpan.Zero);
    });

    /// <summary>Has a device attached anew with addresses that are asked for anew, when nothing has asked for it again for a while.</summary>
    public void Renew(string device, TimeSpan quiet) => Mark(device, look =>
    {
        look.Detach_NeedsLock();
        look.Renew = true;
        look.Due = time.Steady() + quiet;
    });

    /// <summary>An operator started it: crashes until now do not count, and it is looked at at once.</summary>
    public void Restarted(string device)
    {
        notes.Resolve(device, CrashLoop);
        Mark(device, look =>
        {
            look.ForgetRestarts();
            Earliest(look, TimeSpan.Zero);
        });
    }

    /// <summary>Looks at devices until cancelled, and ends when the last look has.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var running = new List<Task>();
        foreach (var (device, _) in state.Devices.Snapshot()) Ask(device, TimeSpan.Zero);
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var (device, look) in _looks)
                if (look.TryBegin(time.Steady())) running.Add(LookAsync(device, look, cancellationToken));
            running.RemoveAll(task => task.IsCompleted);
            await WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private void Mark(string device, Action<Look> change)
    {
        _looks.GetOrAdd(device, _ => new Look()).Change(change);
        Wake();
    }

    private void Earliest(Look look, TimeSpan delay)
    {
        var due = time.Steady() + delay;
        if (due < look.Due) look.Due = due;
    }

    private void Wake()
    {
        try
        {
            _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // Awake already.
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        var now = time.Steady();
        var next = _looks.Values.Select(look => look.DueUnlessRunning).Append(now + PollPeriod).Min();
        using var timer = new CancellationTokenSource(next > now ? next - now : TimeSpan.Zero, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await _changed.WaitAsync(linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Something is due, or the end has come: the loop sees which.
        }
    }

    private async Task LookAsync(string device, Look look, CancellationToken cancellationToken)
    {
        var again = PollPeriod;
        try
        {
            again = await TakeStepAsync(device, look, cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e)
        {
            LogEngine(logger, device, e.Message);
            again = TimeSpan.FromSeconds(5);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The agent stops.
        }
        catch (Exception e)
        {
            LogUnexpected(logger, device, e);
        }
        look.End(time.Steady() + again);
        Wake();
    }

    private async Task<TimeSpan> TakeStepAsync(string device, Look look, CancellationToken cancellationToken)
    {
        var container = await engine.InspectContainerAsync(device, cancellationToken).ConfigureAwait(false);
        var step = UpkeepPlan.Next(FactsOf(device, look, container));
        if (step != UpkeepStep.ReportMissing) look.IsMissingReported = false;
        switch (step)
        {
            case UpkeepStep.Forget:
                _looks.TryRemove(device, out _);
                return PollPeriod;
            case UpkeepStep.Later:
                return BusyDelay;
            case UpkeepStep.ReportMissing when !look.IsMissingReported:
                look.IsMissingReported = true;
                LogMissing(logger, device);
                return PollPeriod;
            case UpkeepStep.GiveUp:
                return GiveUp(device, look);
            case UpkeepStep.Retry:
                look.GaveUpAt = time.Steady();
                await StartAsync(device, look, cancellationToken).ConfigureAwait(false);
                return TimeSpan.Zero;
            case UpkeepStep.Recover:
                look.GaveUpAt = null;
                notes.Resolve(device, CrashLoop);
                Happened?.Invoke(device, "crash_loop_ended");
                return TimeSpan.Zero;
            case UpkeepStep.Start:
                await StartAsync(device, look, cancellationToken).ConfigureAwait(false);
                return TimeSpan.Zero;
            case UpkeepStep.Attach:
                return await AttachAsync(device, container!, look, cancellationToken).ConfigureAwait(false);
            default:
                return PollPeriod;
        }
    }

    private TimeSpan GiveUp(string device, Look look)
    {
        if (look.GaveUpAt is not null) return PollPeriod;
        look.GaveUpAt = time.Steady();
        LogGaveUp(logger, device, UpkeepPlan.MaxRestarts, UpkeepPlan.RestartWindow.TotalSeconds);
        notes.Warn(device, $"{CrashLoop} restarted {UpkeepPlan.MaxRestarts} times within {UpkeepPlan.RestartWindow.TotalMinutes} minutes, "
            + (options.CrashRetry is { } retry ? $"tried again every {retry.TotalMinutes} minutes" : "left alone now"));
        Happened?.Invoke(device, "crash_loop");
        return PollPeriod;
    }

    private UpkeepFacts FactsOf(string device, Look look, ContainerDetails? container)
    {
        var record = state.Devices.Find(device);
        return new UpkeepFacts
        {
            IsRegistered = record is not null,
            IsStopped = record?.IsStopped == true,
            IsBusy = operations.IsRunning(device),
            Container = container?.State.Status,
            RecentRestarts = look.CountRestarts(time.Steady() - UpkeepPlan.RestartWindow),
            HasGivenUp = look.GaveUpAt is not null,
            IsRetryDue = options.CrashRetry is { } retry && time.Steady() - look.GaveUpAt >= retry,
            IsAttached = container is not null && look.AttachedPid == container.State.Pid,
        };
    }

    private async Task StartAsync(string device, Look look, CancellationToken cancellationToken)
    {
        LogRestarting(logger, device);
        look.AddRestart(time.Steady());
        notes.CountRestart(device);
        await engine.StartContainerAsync(device, cancellationToken).ConfigureAwait(false);
    }

    private async Task<TimeSpan> AttachAsync(string device, ContainerDetails container, Look look, CancellationToken cancellationToken)
    {
        if (container.HostConfig?.RestartPolicy is { Name: not ("no" or "") })
            await engine.SetRestartPolicyAsync(device, new RestartPolicy("no"), cancellationToken).ConfigureAwait(false);
        var renew = look.TakeRenewal();
        if (await attachment.AttachAsync(device, container, renew, cancellationToken).ConfigureAwait(false))
        {
            look.Attached(container.State.Pid);
            return PollPeriod;
        }
        return AttachBackoff.Next(look.Fail(renew), Random.Shared.NextDouble());
    }

    [LoggerMessage(7030, LogLevel.Warning, "{Device} is not looked after now: {Reason}")]
    private static partial void LogEngine(ILogger logger, string device, string reason);

    [LoggerMessage(7031, LogLevel.Error, "looking after {Device} failed")]
    private static partial void LogUnexpected(ILogger logger, string device, Exception exception);

    [LoggerMessage(7032, LogLevel.Warning, "{Device} is registered and has no container")]
    private static partial void LogMissing(ILogger logger, string device);

    [LoggerMessage(7033, LogLevel.Error, "{Device} was restarted {Count} times within {Seconds} s and is left alone now; start it by hand when its trouble is found")]
    private static partial void LogGaveUp(ILogger logger, string device, int count, double seconds);

    [LoggerMessage(7034, LogLevel.Information, "{Device} does not run and is started")]
    private static partial void LogRestarting(ILogger logger, string device);
}
