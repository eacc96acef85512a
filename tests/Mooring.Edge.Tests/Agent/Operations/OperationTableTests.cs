using Mooring.Edge.Agent.Operations;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Operations;

public sealed class OperationTableTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-journal-").FullName;
    private readonly TestClock _clock = new();

    private OperationTable NewTable() => new(new OperationJournal(_folder), _clock);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData((int)OperationKind.Create, (int)OperationKind.Create)]
    [InlineData((int)OperationKind.Create, (int)OperationKind.Delete)]
    [InlineData((int)OperationKind.Delete, (int)OperationKind.Create)]
    [InlineData((int)OperationKind.Delete, (int)OperationKind.Delete)]
    [InlineData((int)OperationKind.Restart, (int)OperationKind.Create)]
    public void RunningOperation_BlocksAnother(int first, int second)
    {
        var table = NewTable();
        Assert.True(table.TryBegin("plc", (OperationKind)first, out _));
        Assert.False(table.TryBegin("plc", (OperationKind)second, out var running));
        Assert.Equal((OperationKind)first, running!.Kind);
        Assert.True(table.TryBegin("other", (OperationKind)second, out _));
    }

    [Fact]
    public void FailedOperation_StaysToBeReadAndBlocksNothing()
    {
        var table = NewTable();
        table.TryBegin("plc", OperationKind.Create, out _);
        table.Step("plc", "pulling_image");
        table.Fail("plc", "no space");
        var failed = table.Find("plc")!;
        Assert.Equal(("error", "create", "pulling_image", "no space"), (failed.Status, failed.Word, failed.Step, failed.Error));
        Assert.False(table.IsRunning("plc"));
        Assert.True(table.TryBegin("plc", OperationKind.Delete, out _));
        Assert.Equal("deleting", table.Find("plc")!.Status);
    }

    [Fact]
    public void ErrorWithoutOperation_IsEntered()
    {
        var table = NewTable();
        table.Fail("plc", "lost");
        Assert.Equal("unknown", table.Find("plc")!.Word);
    }

    [Fact]
    public void StepWithoutOperation_IsNothing()
    {
        var table = NewTable();
        table.Step("plc", "x");
        table.Progress("plc", new PullState(1, 2, 3));
        Assert.Null(table.Find("plc"));
    }

    [Fact]
    public void Clearing_TellsSuccessOnce()
    {
        var table = NewTable();
        var ended = new List<(string, OperationKind, string?)>();
        table.Ended += (name, kind, error) => ended.Add((name, kind, error));
        table.TryBegin("plc", OperationKind.Stop, out _);
        table.Clear("plc");
        table.Clear("plc");
        table.Fail("b", "x", OperationKind.Create);
        table.Clear("b");
        Assert.Equal([("plc", OperationKind.Stop, null), ("b", OperationKind.Create, "x")], ended);
        Assert.Empty(table.Snapshot());
    }

    [Fact]
    public async Task FiftyBeginsAtOnce_OneWins()
    {
        var table = NewTable();
        var begun = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => table.TryBegin("plc", OperationKind.Create, out var _))));
        Assert.Equal(1, begun.Count(b => b));
    }

    [Fact]
    public void D9_KilledAgent_FindsWhatRan()
    {
        var table = NewTable();
        table.TryBegin("half", OperationKind.Create, out _);
        table.Step("half", "creating_container");
        table.TryBegin("done", OperationKind.Create, out _);
        table.Clear("done");
        table.TryBegin("failed", OperationKind.Delete, out _);
        table.Fail("failed", "x");
        File.WriteAllText(Path.Combine(_folder, "broken.json"), "{");

        var (interrupted, unreadable) = new OperationJournal(_folder).Read();
        var half = Assert.Single(interrupted);
        Assert.Equal(("half", OperationKind.Create, "creating_container"), (half.Name, half.Kind, half.Step));
        Assert.EndsWith("broken.json", Assert.Single(unreadable), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("__orchestrator__")]
    public void Name_CannotLeadOutOfTheFolder(string name)
    {
        var table = NewTable();
        table.TryBegin(name, OperationKind.Create, out _);
        Assert.Single(Directory.GetFiles(_folder, "*.json"));
        Assert.Equal(name, Assert.Single(new OperationJournal(_folder).Read().Interrupted).Name);
        table.Clear(name);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Failures_AreBounded()
    {
        var table = NewTable();
        for (var i = 0; i < OperationTable.MaxFailures + 10; i++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            table.Fail($"plc{i}", "x");
        }
        Assert.Equal(OperationTable.MaxFailures, table.Snapshot().Count);
        Assert.Null(table.Find("plc0"));
    }
}
