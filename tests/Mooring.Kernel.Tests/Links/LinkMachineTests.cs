using Mooring.Kernel.Links;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Links;

public sealed class LinkMachineTests
{
    private readonly TestClock _clock = new();

    // One row a state, in the order Idle, Connecting, Up, Waiting, Stopped; 1 is legal.
    private static readonly string[] Table = ["01001", "00111", "00011", "01001", "00000"];

    public static TheoryData<LinkState, LinkState, bool> AllMoves()
    {
        var moves = new TheoryData<LinkState, LinkState, bool>();
        foreach (var from in Enum.GetValues<LinkState>())
            foreach (var to in Enum.GetValues<LinkState>())
                moves.Add(from, to, Table[(int)from][(int)to] == '1');
        return moves;
    }

    [Theory, MemberData(nameof(AllMoves))]
    public void EveryPairOfStates_MovesAsTheTableSays(LinkState from, LinkState to, bool legal)
    {
        var machine = In(from);
        Assert.Equal(from, machine.State);
        Assert.Equal(legal, LinkMachine.IsLegal(from, to));
        Assert.Equal(legal, machine.TryMove(to, "why"));
        Assert.Equal(legal ? to : from, machine.State);
        Assert.Equal(legal ? 1 : 0, machine.CountOf(from, to));
    }

    [Fact]
    public void Move_TellsFromToReasonAndTime()
    {
        var machine = new LinkMachine(_clock);
        var told = new List<LinkTransition>();
        machine.Moved += told.Add;
        _clock.Advance(TimeSpan.FromSeconds(5));
        machine.TryMove(LinkState.Connecting, "started");
        Assert.Equal([new(LinkState.Idle, LinkState.Connecting, "started", _clock.GetUtcNow())], told);
        Assert.Equal(_clock.GetUtcNow(), machine.Since);
    }

    [Fact]
    public void SecondReasonToStop_IsIgnored()
    {
        var machine = In(LinkState.Up);
        LinkTransition? told = null;
        machine.Moved += t => told = t;
        Assert.True(machine.RequestStop("bad password"));
        Assert.False(machine.RequestStop("socket closed"));
        Assert.Equal(LinkState.Up, machine.State);
        Assert.True(machine.TryMove(LinkState.Stopped, "shut down"));
        Assert.Equal("bad password", machine.StopReason);
        Assert.Equal("bad password", told!.Value.Reason);
    }

    [Fact]
    public void ManyReasonsToStopAtOnce_ExactlyOneWins()
    {
        for (var round = 0; round < 200; round++)
        {
            var machine = In(LinkState.Up);
            var wins = 0;
            Parallel.For(0, 8, i =>
            {
                if (machine.RequestStop($"reason {i}")) Interlocked.Increment(ref wins);
            });
            Assert.Equal(1, wins);
        }
    }

    [Fact]
    public void MoveFromWithinAnObserver_IsToldAfterThePresentOneToEveryObserver()
    {
        var machine = new LinkMachine(_clock);
        var told = new List<string>();
        machine.Moved += t =>
        {
            told.Add($"a {t.To}");
            if (t.To == LinkState.Connecting) machine.TryMove(LinkState.Up);
        };
        machine.Moved += t => told.Add($"b {t.To}");
        machine.TryMove(LinkState.Connecting);
        Assert.Equal(["a Connecting", "b Connecting", "a Up", "b Up"], told);
    }

    [Fact]
    public void MovesFromManyThreads_AreToldInOrderAndOneAtATime()
    {
        var machine = new LinkMachine(_clock);
        var told = new List<LinkTransition>();
        var inside = 0;
        machine.Moved += t =>
        {
            Assert.Equal(1, Interlocked.Increment(ref inside));
            told.Add(t);
            Interlocked.Decrement(ref inside);
        };
        Parallel.For(0, LinkMachine.UnpublishedMovesMax, i => machine.TryMove((LinkState)(1 + (i % 3))));
        machine.TryMove(LinkState.Stopped);
        for (var i = 1; i < told.Count; i++) Assert.Equal(told[i - 1].To, told[i].From);
        var counted = LinkMachine.LegalMoves.Sum(m => machine.CountOf(m.From, m.To));
        Assert.Equal(counted, told.Count + machine.MovesNotPublished);
    }

    [Fact]
    public void ThrowingObserver_DoesNotHarmTheOthersNorTheMove()
    {
        var machine = new LinkMachine(_clock);
        var told = 0;
        machine.Moved += _ => throw new InvalidOperationException();
        machine.Moved += _ => told++;
        Assert.True(machine.TryMove(LinkState.Connecting));
        Assert.True(machine.TryMove(LinkState.Up));
        Assert.Equal(2, told);
    }

    [Fact]
    public async Task HangingObserver_LosesTheOldestMovesAndCountsThem()
    {
        var machine = new LinkMachine(_clock);
        using var hang = new ManualResetEventSlim();
        using var hanging = new ManualResetEventSlim();
        machine.Moved += _ =>
        {
            hanging.Set();
            hang.Wait();
        };
        var first = Task.Run(() => machine.TryMove(LinkState.Connecting));
        hanging.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        for (var i = 0; i < LinkMachine.UnpublishedMovesMax; i++)
        {
            machine.TryMove(LinkState.Waiting);
            machine.TryMove(LinkState.Connecting);
        }
        Assert.Equal(LinkMachine.UnpublishedMovesMax, machine.MovesNotPublished);
        hang.Set();
        await first;
    }

    private LinkMachine In(LinkState state)
    {
        var machine = new LinkMachine(_clock);
        LinkState[] path = state switch
        {
            LinkState.Idle => [],
            LinkState.Connecting => [LinkState.Connecting],
            LinkState.Up => [LinkState.Connecting, LinkState.Up],
            LinkState.Waiting => [LinkState.Connecting, LinkState.Waiting],
            _ => [LinkState.Stopped],
        };
        foreach (var to in path) Assert.True(machine.TryMove(to));
        return machine;
    }
}
