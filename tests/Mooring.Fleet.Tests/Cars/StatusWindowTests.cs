using Mooring.Fleet.Cars;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Tests.Cars;

public sealed class StatusWindowTests
{
    private const int Size = 10;

    private static readonly TimeSpan Start = TimeSpan.FromSeconds(100);

    private readonly StatusWindow _window = new(Size);
    private readonly List<uint> _released = [];

    public StatusWindowTests() => _window.Reset(1);

    private StatusPlace Offer(uint counter, TimeSpan? now = null)
    {
        var place = _window.Offer(new Status { MessageCounter = counter }, now ?? Start);
        if (place == StatusPlace.Next) _released.Add(counter);
        while (_window.TryRelease(now ?? Start, out var status)) _released.Add(status.Status.MessageCounter);
        return place;
    }

    [Fact]
    public void C135_equal_counter_is_accepted_the_next_is_one_more_and_nothing_is_missing()
    {
        Assert.Equal(StatusPlace.Next, Offer(1));
        Assert.Equal(2u, _window.Next);
        Assert.Null(_window.GapSince);
    }

    [Fact]
    public void C136_higher_counter_is_held_and_the_expected_one_stays()
    {
        Assert.Equal(StatusPlace.Held, Offer(4));
        Assert.Equal(1u, _window.Next);
        Assert.Equal(Start, _window.GapSince);
        Assert.Empty(_released);
    }

    [Fact]
    public void C137_lower_counter_is_ignored_and_changes_nothing()
    {
        Offer(1);
        Assert.Equal(StatusPlace.Duplicate, Offer(0));
        Assert.Equal(StatusPlace.Duplicate, Offer(1));
        Assert.Equal(2u, _window.Next);
    }

    [Fact]
    public void C138_same_counter_twice_is_delivered_once()
    {
        foreach (var counter in new uint[] { 1, 1, 3, 3, 2, 2 }) Offer(counter);
        Assert.Equal([1u, 2u, 3u], _released);
    }

    [Fact]
    public void C139_any_permutation_without_gaps_is_delivered_ascending()
    {
        var random = new Random(20260101);
        for (var round = 0; round < 200; round++)
        {
            _released.Clear();
            _window.Reset(1);
            var counters = Enumerable.Range(1, Size).Select(i => (uint)i).ToArray();
            random.Shuffle(counters);
            foreach (var counter in counters) Offer(counter);
            Assert.Equal(Enumerable.Range(1, Size).Select(i => (uint)i), _released);
            Assert.Null(_window.GapSince);
        }
    }

    [Fact]
    public void C140_gap_blocks_everything_after_it()
    {
        foreach (var counter in new uint[] { 1, 3, 4, 5 }) Offer(counter);
        Assert.Equal([1u], _released);
    }

    [Fact]
    public void C141_C142_gap_has_one_deadline_from_its_first_sight_and_ends_when_it_closes()
    {
        Offer(3);
        Offer(4, Start + TimeSpan.FromSeconds(2));
        Assert.Equal(Start, _window.GapSince);
        Offer(2, Start + TimeSpan.FromSeconds(3));
        Assert.Equal(Start, _window.GapSince);
        Offer(1, Start + TimeSpan.FromSeconds(4));
        Assert.Null(_window.GapSince);
        Assert.Equal([1u, 2u, 3u, 4u], _released);
    }

    [Fact]
    public void C143_number_below_the_newest_missing_one_does_not_restart_the_deadline()
    {
        Offer(8);
        Offer(6, Start + TimeSpan.FromSeconds(1));
        Assert.Equal(Start, _window.GapSince);
    }

    [Fact]
    public void C144_held_statuses_move_on_when_the_gap_closes_partly()
    {
        foreach (var counter in new uint[] { 2, 4 }) Offer(counter);
        Offer(1, Start + TimeSpan.FromSeconds(5));
        Assert.Equal([1u, 2u], _released);
        // What is missing now was first missed now.
        Assert.Equal(Start + TimeSpan.FromSeconds(5), _window.GapSince);
        Offer(3);
        Assert.Equal([1u, 2u, 3u, 4u], _released);
    }

    [Fact]
    public void C145_no_deadline_after_complete_input_and_one_for_a_remaining_gap()
    {
        foreach (var counter in new uint[] { 2, 1, 3 }) Offer(counter);
        Assert.Null(_window.GapSince);
        Offer(5);
        Assert.NotNull(_window.GapSince);
    }

    [Fact]
    public void C146_without_a_known_number_the_first_status_defines_it()
    {
        _window.Reset(null);
        Assert.Equal(StatusPlace.Next, Offer(40));
        Assert.Equal(StatusPlace.Duplicate, Offer(39));
        Assert.Equal(41u, _window.Next);
    }

    [Fact]
    public void C147_reset_drops_what_was_held_and_the_deadline()
    {
        Offer(5);
        _window.Reset(1);
        Assert.Null(_window.GapSince);
        foreach (var counter in new uint[] { 1, 2, 3, 4 }) Offer(counter);
        Assert.Equal([1u, 2u, 3u, 4u], _released);
    }

    [Fact]
    public void C148_duplicate_of_a_held_status_is_harmless()
    {
        Assert.Equal(StatusPlace.Held, Offer(3));
        Assert.Equal(StatusPlace.Duplicate, Offer(3));
        Offer(1);
        Offer(2);
        Assert.Equal([1u, 2u, 3u], _released);
    }

    [Theory]
    [InlineData(1u, 11u, true)]
    [InlineData(1u, 12u, false)]
    [InlineData(1u, 2147483648u, false)]
    [InlineData(4294967290u, 4u, true)]
    [InlineData(4294967290u, 6u, false)]
    public void C149_counter_further_ahead_than_the_window_is_refused(uint expected, uint counter, bool isHeld)
    {
        _window.Reset(expected);
        Assert.Equal(isHeld ? StatusPlace.Held : StatusPlace.TooFar, Offer(counter));
    }

    [Fact]
    public void C150_4294967295_is_followed_by_0()
    {
        _window.Reset(uint.MaxValue);
        Assert.Equal(StatusPlace.Held, Offer(0));
        Assert.Equal(StatusPlace.Next, Offer(uint.MaxValue));
        Assert.Equal([uint.MaxValue, 0u], _released);
        Assert.Null(_window.GapSince);
        Assert.Equal(StatusPlace.Duplicate, Offer(uint.MaxValue));
    }
}
