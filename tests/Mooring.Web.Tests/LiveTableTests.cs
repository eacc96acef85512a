using System.Text;
using System.Text.Json;
using Mooring.Testing;
using Mooring.Web.Live;
using Mooring.Web.Readings;
using Mooring.Web.Rows;

namespace Mooring.Web.Tests;

/// <summary>What is told about a table that changes.</summary>
public sealed class LiveTableTests
{
    private readonly List<SystemReading> _rows = [new("a", null), new("b", null)];
    private readonly RowTable<SystemReading> _table;
    private Func<IEnumerable<SystemReading>>? _failing;

    public LiveTableTests() => _table = new RowTable<SystemReading>(
        "systems", new ConsoleLimits { ChangesKept = 3 }, () => _failing?.Invoke() ?? _rows, row => row.Name, WebJson.Default.SystemReading);

    [Fact]
    public void FirstLook_TellsTheWholeTable()
    {
        _table.Watch();
        var told = Told(0, out var seen);
        Assert.Equal(1, seen);
        Assert.Equal("""{"whole":true,"set":[{"name":"a"},{"name":"b"}]}""", Assert.Single(told));
    }

    [Fact]
    public void Change_TellsOnlyWhatChangedAndWhatIsGone()
    {
        _table.Watch();
        Told(0, out var seen);
        _rows[1] = new SystemReading("b", "ill");
        _rows.RemoveAt(0);
        Assert.True(_table.Look());
        Assert.Equal("""{"set":[{"name":"b","problem":"ill"}],"gone":["a"]}""", Assert.Single(Told(seen, out _)));
    }

    [Fact]
    public void NoChange_TellsNothing()
    {
        _table.Watch();
        Told(0, out var seen);
        Assert.False(_table.Look());
        Assert.Empty(Told(seen, out _));
    }

    [Fact]
    public void WhoIsALittleBehind_GetsEveryChange_WhoIsFarBehind_TheWholeTable()
    {
        _table.Watch();
        Told(0, out var seen);
        for (var i = 0; i < 3; i++) Change(i);
        Assert.Equal(3, Told(seen, out _).Count);
        Change(3);
        Assert.StartsWith("""{"whole":true""", Assert.Single(Told(seen, out _)), StringComparison.Ordinal);
    }

    [Fact]
    public void SystemThatFails_IsToldWithItsReason_AndComesBackWhole()
    {
        _table.Watch();
        Told(0, out var seen);
        _failing = () => throw new InvalidOperationException("the hub has not started yet");
        Assert.True(_table.Look());
        Assert.Equal("""{"whole":true,"problem":"the hub has not started yet","set":[]}""", Assert.Single(Told(seen, out seen)));
        Assert.False(_table.Look());
        _failing = null;
        Assert.True(_table.Look());
        Assert.Equal("""{"whole":true,"set":[{"name":"a"},{"name":"b"}]}""", Assert.Single(Told(seen, out _)));
    }

    [Theory]
    [InlineData(0.04, 0)]
    [InlineData(1.26, 1.3)]
    [InlineData(123.4, 123)]
    public void Rate_IsRoundedToWhatPeopleRead(double rate, double shown) => Assert.Equal(shown, RateMeter.Rounded(rate));

    [Fact]
    public void Rate_IsTakenOverItsPeriod_AndAFallIsANewBeginning()
    {
        var clock = new TestClock();
        var meter = new RateMeter(clock, TimeSpan.FromSeconds(2));
        Assert.Equal(0, meter.Of("car", 100));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, meter.Of("car", 150));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(50, meter.Of("car", 200));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, meter.Of("car", 10));
    }

    private void Change(int i)
    {
        _rows[0] = new SystemReading("a", $"problem {i}");
        Assert.True(_table.Look());
    }

    private List<string> Told(long seen, out long now)
    {
        var parts = new List<byte[]>();
        now = _table.Since(seen, parts);
        return [.. parts.Select(part => Encoding.UTF8.GetString(part)).Select(text =>
        {
            Assert.StartsWith("event: systems\ndata: ", text, StringComparison.Ordinal);
            Assert.EndsWith("\n\n", text, StringComparison.Ordinal);
            var json = text["event: systems\ndata: ".Length..].Trim();
            using var parsed = JsonDocument.Parse(json);
            return json;
        })];
    }
}
