using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mooring.Testing;

/// <summary>
/// Base of tests whose code under test logs. An error in the log that the test did not announce with <see cref="Expect"/>
/// fails the test: what nobody looks at would otherwise stay wrong.
/// </summary>
public abstract class MooringTest : IAsyncDisposable
{
    /// <summary>Longest wait for one signal. Generous: the machine may be loaded, and no test waits this long when it passes.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<int, bool> _expected = new();
    private readonly Stack<IAsyncDisposable> _owned = new();
    private readonly CancellationTokenSource _timeLimit;

    protected MooringTest()
    {
        _timeLimit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        _timeLimit.CancelAfter(TimeLimit);
        Log = new LogCollector();
        LoggerFactory = Microsoft.Extensions.Logging.LoggerFactory.Create(
            logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Log));
    }

    /// <summary>What the code under test logged.</summary>
    protected LogCollector Log { get; }

    /// <summary>Give this, or <see cref="Log"/> as a provider, to the code under test.</summary>
    protected ILoggerFactory LoggerFactory { get; }

    /// <summary>Cancelled 30 s after the test began: hand it to every wait.</summary>
    protected CancellationToken TestTimeout => _timeLimit.Token;

    /// <summary>Announces that an Error or Critical with this id may be logged.</summary>
    protected void Expect(params int[] eventIds)
    {
        foreach (var id in eventIds) _expected[id] = true;
    }

    /// <summary>Has something disposed at the end of the test, before the log is judged; the last comes first.</summary>
    protected T Own<T>(T disposable)
        where T : IAsyncDisposable
    {
        _owned.Push(disposable);
        return disposable;
    }

    /// <summary>Waits until a line with this event id has been logged.</summary>
    protected Task<LogEntry> LoggedAsync(int eventId) => Log.WhenAsync(e => e.Event.Id == eventId, TestTimeout);

    public virtual async ValueTask DisposeAsync()
    {
        while (_owned.TryPop(out var owned)) await owned.DisposeAsync();
        LoggerFactory.Dispose();
        _timeLimit.Dispose();
        GC.SuppressFinalize(this);
        var unannounced = Log.Entries
            .Where(e => e.Level is LogLevel.Error or LogLevel.Critical && !_expected.ContainsKey(e.Event.Id))
            .Select(e => $"{e.Level} {e.Event.Id} {e.Category}: {e.Message} {e.Exception}")
            .ToList();
        if (unannounced.Count > 0) Assert.Fail("logged but not announced:\n" + string.Join("\n", unannounced));
    }
}
