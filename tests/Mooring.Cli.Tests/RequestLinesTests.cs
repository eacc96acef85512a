using Mooring.Cli.Verbs;

namespace Mooring.Cli.Tests;

public sealed class RequestLinesTests
{
    [Fact]
    public async Task Lines_AreWrittenInTheirOrder_AndTheLastOnesBeforeTheEnd()
    {
        using var target = new StringWriter();
        await using (var lines = new RequestLines(target))
        {
            for (var i = 0; i < 1000; i++) lines.Add($"line {i}");
        }
        Assert.Equal(string.Concat(Enumerable.Range(0, 1000).Select(i => $"line {i}\n")), target.ToString());
    }

    [Fact]
    public async Task ReaderThatStopped_HoldsUpNoRequest_AndIsToldHowManyItMissed()
    {
        using var target = new StalledWriter();
        await using var lines = new RequestLines(target);
        lines.Add("first");
        Assert.True(target.Entered.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        var line = new string('x', 1023);
        for (var i = 0; i < RequestLines.WaitingCharsMax / 1024 + 7; i++) lines.Add(line);
        target.Resume.Set();
        await lines.DisposeAsync();
        Assert.StartsWith("first\nxxx", target.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("x\n... 7 more requests are not shown: this output was not read\n", target.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReaderThatIsGone_EndsNothing()
    {
        using var target = new ClosedWriter();
        await using var lines = new RequestLines(target);
        lines.Add("one");
        await lines.DisposeAsync();
        lines.Add("two");
        await lines.DisposeAsync();
        Assert.Equal(2, target.Attempts);
    }

    private sealed class StalledWriter : StringWriter
    {
        public ManualResetEventSlim Entered { get; } = new();

        public ManualResetEventSlim Resume { get; } = new();

        public override void Write(string? value)
        {
            Entered.Set();
            Resume.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            base.Write(value);
        }

        protected override void Dispose(bool disposing)
        {
            Entered.Dispose();
            Resume.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class ClosedWriter : StringWriter
    {
        public int Attempts { get; private set; }

        public override void Write(string? value)
        {
            Attempts++;
            throw new IOException("Broken pipe");
        }
    }
}
