using System.Buffers;
using Microsoft.Extensions.Logging;
using Mooring.Testing;
using Xunit.Sdk;

namespace Mooring.Kernel.Tests.Testing;

public sealed class TestingTests : MooringTest
{
    [Fact]
    public void TestClock_FiresTimersInOrderEachAtItsOwnTime()
    {
        var clock = new TestClock();
        var start = clock.GetUtcNow();
        var fired = new List<string>();
        ITimer On(string name, int due, int period) => clock.CreateTimer(
            _ => fired.Add($"{name}{(clock.GetUtcNow() - start).TotalSeconds}"), null,
            TimeSpan.FromSeconds(due), period == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(period));
        using var b = On("b", 3, 0);
        using var a = On("a", 1, 2);
        using var c = On("c", 3, 0);
        c.Dispose();
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["a1", "b3", "a3", "a5"], fired);
        Assert.Equal(1, clock.ActiveTimers);
        Assert.Equal(TimeSpan.FromSeconds(5), clock.GetElapsedTime(0));
    }

    [Fact]
    public async Task TestClock_DrivesDelaysAndTimeouts()
    {
        var clock = new TestClock();
        var delay = Task.Delay(TimeSpan.FromMinutes(5), clock, TestTimeout);
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(6), clock);
        await clock.WhenTimersAsync(2, TestTimeout);
        clock.Advance(TimeSpan.FromMinutes(5));
        await delay;
        Assert.False(timeout.IsCancellationRequested);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(timeout.IsCancellationRequested);
    }

    [Fact]
    public async Task FaultyPipe_CorruptsTheChosenByteStallsAndResumes()
    {
        var (client, server) = InMemoryConnection.CreatePair("x", new InMemoryEndPoint("x"));
        var faulty = new FaultyPipe(client.Transport);
        faulty.Outgoing.CorruptAt(2, 0x20).StallAfter(4);
        await faulty.Output.WriteAsync("ABCDEF"u8.ToArray(), TestTimeout);
        var read = await server.Transport.Input.ReadAtLeastAsync(4, TestTimeout);
        Assert.Equal("ABcD"u8.ToArray(), read.Buffer.ToArray());
        server.Transport.Input.AdvanceTo(read.Buffer.End);
        await faulty.Outgoing.Stalled.WaitAsync(TestTimeout);
        faulty.Outgoing.Resume();
        read = await server.Transport.Input.ReadAtLeastAsync(2, TestTimeout);
        Assert.Equal("EF"u8.ToArray(), read.Buffer.ToArray());
        faulty.Cut();
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            server.Transport.Input.AdvanceTo(read.Buffer.End);
            var end = await faulty.Input.ReadAsync(TestTimeout);
        });
    }

    [Fact]
    public void SameSeed_GivesTheSameFaults()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var (a, b) = (ByteFaults.FromSeed(seed, 1000), ByteFaults.FromSeed(seed, 1000));
            var (bytesA, bytesB) = (new byte[500], new byte[500]);
            Assert.Equal(a.Next(500).Bytes, b.Next(500).Bytes);
            a.Pass(bytesA);
            b.Pass(bytesB);
            Assert.Equal(bytesA, bytesB);
        }
    }

    [Fact]
    public void SequenceSplits_KeepTheBytes()
    {
        var bytes = "abcde"u8.ToArray();
        Assert.Equal(6, SequenceSplits.InTwo(bytes).Count());
        Assert.All(SequenceSplits.InTwo(bytes), s => Assert.Equal(bytes, s.ToArray()));
        Assert.Equal(bytes, SequenceSplits.ByteByByte(bytes).ToArray());
        Assert.Equal(5, SequenceSplits.Truncations(bytes).Count());
    }

    [Fact]
    public async Task ProcessUnderTest_GivesLinesAndTakesSignals()
    {
        await using var shell = ProcessUnderTest.Start("sh", ["-c", "trap 'echo got term; exit 3' TERM; echo ready; read x; echo \"got $x\"; read y"]);
        await shell.LineAsync("ready", TestTimeout);
        await shell.Input.WriteLineAsync("hello");
        await shell.LineAsync("got hello", TestTimeout);
        shell.Terminate();
        Assert.Equal(3, await shell.ExitAsync(TestTimeout));
        await shell.LineAsync("got term", TestTimeout);
        await Assert.ThrowsAsync<InvalidOperationException>(() => shell.LineAsync("never printed", TestTimeout));
    }

    [Fact]
    public async Task UnannouncedError_FailsTheTest()
    {
        var test = new Silent();
        test.LogError(4711);
        await Assert.ThrowsAsync<FailException>(async () => await test.DisposeAsync());
        var announced = new Silent();
        announced.Announce(4711);
        announced.LogError(4711);
        await announced.DisposeAsync();
    }

    [Fact]
    public async Task Logged_WaitsForALineToCome()
    {
        var waiting = LoggedAsync(5);
        LoggerFactory.CreateLogger("x").Log(LogLevel.Information, new EventId(5), "now");
        Assert.Equal("now", (await waiting).Message);
    }

    private sealed class Silent : MooringTest
    {
        public void Announce(int id) => Expect(id);

        public void LogError(int id) => LoggerFactory.CreateLogger("x").Log(LogLevel.Error, new EventId(id), "wrong");
    }
}
