using Microsoft.Extensions.Logging.Abstractions;
using Mooring.Kernel.Links;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Links;

public sealed class ReconnectorTests : IDisposable
{
    private readonly CancellationTokenSource _timeout = new(TimeSpan.FromSeconds(30));
    private readonly CancellationTokenSource _stop = new();
    private readonly TestClock _clock = new();
    private readonly LinkMachine _machine;
    private readonly List<string> _moves = [];

    public ReconnectorTests()
    {
        _machine = new LinkMachine(_clock);
        _machine.Moved += t => _moves.Add(t.Reason.Length == 0 ? $"{t.To}" : $"{t.To}: {t.Reason}");
    }

    public void Dispose()
    {
        _timeout.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task FailingPeer_IsAskedAgainAfterGrowingWaits()
    {
        var run = Run((_, _) => Task.FromResult(LinkEnd.Retry("refused")));
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60 }) await NextWaitIsAsync(seconds);
        await StopAsync(run);
        Assert.Equal(8, _machine.CountOf(LinkState.Waiting, LinkState.Connecting));
        Assert.Equal("Stopped: " + Reconnector.StoppedByRequest, _moves[^1]);
    }

    [Fact]
    public async Task PeerThatAcceptsAndDropsAtOnce_StillSeesGrowingWaits()
    {
        var run = Run((up, _) =>
        {
            up();
            return Task.FromResult(LinkEnd.Retry("dropped"));
        });
        foreach (var seconds in new[] { 1, 2, 4 }) await NextWaitIsAsync(seconds);
        await StopAsync(run);
    }

    [Fact]
    public async Task ConnectionUpForThirtySeconds_ForgetsEarlierFailures()
    {
        var connections = 0;
        var run = Run(async (up, token) =>
        {
            if (++connections != 3) return LinkEnd.Retry("refused");
            up();
            await Task.Delay(TimeSpan.FromSeconds(30), _clock, token);
            return LinkEnd.Retry("dropped");
        });
        await NextWaitIsAsync(1);
        await NextWaitIsAsync(2);
        await NextWaitIsAsync(30);
        await NextWaitIsAsync(1);
        await NextWaitIsAsync(2);
        await StopAsync(run);
        Assert.Equal(
            ["Connecting", "Waiting: refused", "Connecting", "Waiting: refused", "Connecting", "Up", "Waiting: dropped"],
            _moves[..7]);
    }

    [Fact]
    public async Task FatalEnd_StopsWithItsReason()
    {
        var reason = await Run((_, _) => Task.FromResult(LinkEnd.Fatal("not authorised")));
        Assert.Equal("not authorised", reason);
        Assert.Equal(["Connecting", "Stopped: not authorised"], _moves);
    }

    [Fact]
    public async Task AttemptsUsedUp_StopsWithTheLastReason()
    {
        var run = Run((_, _) => Task.FromResult(LinkEnd.Retry("refused")), new BackoffPolicy { AttemptsMax = 2 });
        await NextWaitIsAsync(1);
        await NextWaitIsAsync(2);
        Assert.Equal("refused", await run);
    }

    [Fact]
    public async Task Exception_CountsAsAnEndWorthRetrying()
    {
        var run = Run((_, _) => throw new IOException("connection reset"));
        await NextWaitIsAsync(1);
        await _clock.WhenTimersAsync(1, _timeout.Token);
        await StopAsync(run);
        Assert.Contains("Waiting: connection reset", _moves);
    }

    [Fact]
    public async Task CancelWhileUp_IsANormalStop()
    {
        var up = new TaskCompletionSource();
        var run = Run(async (isUp, token) =>
        {
            isUp();
            up.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, _clock, token);
            return LinkEnd.Retry("never");
        });
        await up.Task.WaitAsync(_timeout.Token);
        _stop.Cancel();
        Assert.Equal(Reconnector.StoppedByRequest, await run);
        Assert.Equal(["Connecting", "Up", "Stopped: " + Reconnector.StoppedByRequest], _moves);
    }

    [Fact]
    public async Task ReasonGivenWhileUp_IsTheOneThatTheLinkStopsWith()
    {
        var reason = await Run((up, _) =>
        {
            up();
            _machine.RequestStop("taken over by another client");
            return Task.FromResult(LinkEnd.Retry("socket closed"));
        });
        Assert.Equal("taken over by another client", reason);
        Assert.Equal(LinkState.Stopped, _machine.State);
    }

    [Fact]
    public async Task TokenCancelledBeforehand_NeverConnects()
    {
        _stop.Cancel();
        await Run((_, _) => throw new InvalidOperationException("must not be called"));
        Assert.Equal(["Stopped: " + Reconnector.StoppedByRequest], _moves);
    }

    private Task<string> Run(Func<Action, CancellationToken, Task<LinkEnd>> once, BackoffPolicy? policy = null) =>
        new Reconnector(_machine, policy ?? new BackoffPolicy(), _clock, () => 1, NullLogger.Instance)
            .RunAsync(once, _stop.Token).WaitAsync(_timeout.Token);

    private async Task NextWaitIsAsync(int seconds)
    {
        await _clock.WhenTimersAsync(1, _timeout.Token);
        Assert.Equal(TimeSpan.FromSeconds(seconds), _clock.AdvanceToNextTimer());
    }

    private async Task StopAsync(Task<string> run)
    {
        _stop.Cancel();
        await run;
    }
}
