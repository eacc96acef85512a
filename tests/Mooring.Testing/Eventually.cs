using Xunit;

namespace Mooring.Testing;

/// <summary>
/// Waiting for what has no signal: the state of another program, of the system, of a file. Where the product says that something has
/// happened (a log entry, a counter with an event, an answer on the wire), a test waits for that instead.
/// </summary>
public static class Eventually
{
    /// <summary>How long is waited before a test fails: machines are loaded.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="what">What is awaited, for the message.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="limit">Longest wait; null for <see cref="Limit"/>.</param>
    public static Task TrueAsync(Func<bool> condition, string what, CancellationToken cancellationToken, TimeSpan? limit = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, cancellationToken, limit);

    /// <summary>Blocks until a condition holds, for tests whose clients are plain blocking sockets.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="what">What is awaited, for the message.</param>
    public static void True(Func<bool> condition, string what)
    {
        if (!SpinWait.SpinUntil(condition, Limit)) Assert.Fail($"not within {Limit.TotalSeconds:F0} s: {what}");
    }

    /// <summary>Waits until a condition holds that takes a while to ask for.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="what">What is awaited, for the message.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="limit">Longest wait; null for <see cref="Limit"/>.</param>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, CancellationToken cancellationToken, TimeSpan? limit = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            var elapsed = TimeProvider.System.GetElapsedTime(started);
            if (elapsed >= (limit ?? Limit) || cancellationToken.IsCancellationRequested) Assert.Fail($"not within {elapsed.TotalSeconds:F0} s: {what}");
            await Task.Delay(Pause, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits until there is something, and returns it.</summary>
    /// <typeparam name="T">What it is.</typeparam>
    /// <param name="find">Asked again and again; null or default while it is not there.</param>
    /// <param name="what">What is awaited, for the message.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="limit">Longest wait; null for <see cref="Limit"/>.</param>
    /// <returns>What was found.</returns>
    public static async Task<T> FoundAsync<T>(Func<T?> find, string what, CancellationToken cancellationToken, TimeSpan? limit = null)
    {
        T? found = default;
        await TrueAsync(() => (found = find()) is not null && !EqualityComparer<T>.Default.Equals(found, default), what, cancellationToken, limit);
        return found!;
    }
}
