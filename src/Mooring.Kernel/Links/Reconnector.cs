using Microsoft.Extensions.Logging;

namespace Mooring.Kernel.Links;

/// <summary>
/// Keeps a link up: runs one connection after another, each thrown away whole, and waits in between. What lives for ever
/// (subscriptions, pending messages) belongs to the caller, what lives for one connection belongs to <c>once</c>.
/// </summary>
/// <param name="machine">The published state, moved by this loop only (others may call <see cref="LinkMachine.RequestStop"/>).</param>
/// <param name="backoff">How long to wait between connections.</param>
/// <param name="time">Clock for waits and for how long a connection was up.</param>
/// <param name="random">Draws a number from 0 to 1 for the jitter.</param>
/// <param name="logger">Told about every end.</param>
/// <param name="untilFirstUp">
/// How long to wait while the link was never up: somebody may be setting up the other end right now. Null for <paramref name="backoff"/>.
/// </param>
public sealed partial class Reconnector(
    LinkMachine machine, BackoffPolicy backoff, TimeProvider time, Func<double> random, ILogger logger, BackoffPolicy? untilFirstUp = null)
{
    /// <summary>The reason of a link that was stopped by cancelling its token, when nobody gave a better one.</summary>
    public const string StoppedByRequest = "stopped by request";

    /// <summary>Runs the link until it is cancelled, a connection ends fatally or the attempts are used up.</summary>
    /// <param name="once">
    /// Makes one connection and serves it to its end. It calls its first argument when the connection is up, handshake
    /// included. Expected failures are returned as <see cref="LinkEnd"/>; an exception counts as an end worth retrying.
    /// </param>
    /// <param name="cancellationToken">Stops the link. Cancellation is a normal end: nothing is thrown.</param>
    /// <returns>The reason for which the link stopped: the first that anyone gave.</returns>
    public async Task<string> RunAsync(
        Func<Action, CancellationToken, Task<LinkEnd>> once, CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested && machine.TryMove(LinkState.Connecting))
        {
            var wasUp = IsKnown;
            var end = await RunOnceAsync(once, cancellationToken);
            if (cancellationToken.IsCancellationRequested || machine.StopReason is not null) break;

            var policy = IsKnown ? backoff : untilFirstUp ?? backoff;
            // Tries from before there was another end say nothing about it.
            if (untilFirstUp is not null && IsKnown && !wasUp) failures = 0;
            failures = policy.FailuresAfter(failures, end.UpFor ?? TimeSpan.Zero);
            if (end.IsFatal || failures > policy.AttemptsMax)
            {
                LogGaveUp(logger, end.Reason, failures);
                machine.RequestStop(end.Reason);
                break;
            }
            var delay = policy.Next(failures, random());
            LogWaiting(logger, end.Reason, failures, delay);
            machine.TryMove(LinkState.Waiting, end.Reason);
            await WaitAsync(delay, cancellationToken);
        }
        machine.TryMove(LinkState.Stopped, StoppedByRequest);
        return machine.StopReason!;
    }

    /// <summary>Whether the link was ever up.</summary>
    private bool IsKnown => machine.CountOf(LinkState.Connecting, LinkState.Up) > 0;

    private async Task<LinkEnd> RunOnceAsync(
        Func<Action, CancellationToken, Task<LinkEnd>> once, CancellationToken cancellationToken)
    {
        long? upAt = null;
        void Up()
        {
            if (machine.TryMove(LinkState.Up)) upAt = time.GetTimestamp();
        }

        LinkEnd end;
        try
        {
            end = await once(Up, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            end = LinkEnd.Retry(StoppedByRequest);
        }
        catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException
            or System.Net.Sockets.SocketException or System.Security.Authentication.AuthenticationException)
        {
            // What networks do. The message is enough; the stack of a reset connection helps nobody.
            end = LinkEnd.Retry(e.Message);
        }
        catch (Exception e)
        {
            LogUnexpected(logger, e);
            end = LinkEnd.Retry(e.Message);
        }
        return end with { UpFor = end.UpFor ?? (upAt is { } at ? time.GetElapsedTime(at) : TimeSpan.Zero) };
    }

    private async Task WaitAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(delay, time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The loop looks at the token next.
        }
    }

    [LoggerMessage(1001, LogLevel.Information, "Link down: {Reason}; attempt {Attempt} in {Delay}")]
    private static partial void LogWaiting(ILogger logger, string reason, int attempt, TimeSpan delay);

    [LoggerMessage(1002, LogLevel.Warning, "Link stopped after {Failures} failure(s): {Reason}")]
    private static partial void LogGaveUp(ILogger logger, string reason, int failures);

    [LoggerMessage(1003, LogLevel.Error, "A connection ended with an unexpected error")]
    private static partial void LogUnexpected(ILogger logger, Exception exception);
}
