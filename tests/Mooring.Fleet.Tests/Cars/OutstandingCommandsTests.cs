using Google.Protobuf;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Tests.Cars;

public sealed class OutstandingCommandsTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    private readonly OutstandingCommands _outstanding = new();

    private uint Add(TimeSpan? deadline = null) =>
        _outstanding.Add(new CarCommand(new Device { DeviceRole = "a" }, ByteString.Empty), slot: null, deadline ?? Deadline);

    private uint[] Answer(uint counter)
    {
        _outstanding.Answer(counter, delivered: true);
        var released = new List<uint>();
        while (_outstanding.TryRelease(out var entry)) released.Add(entry.Counter);
        return [.. released];
    }

    [Fact]
    public void C151_without_commands_any_response_releases_nothing()
    {
        Assert.Null(_outstanding.Answer(0, delivered: true));
        Assert.False(_outstanding.TryRelease(out _));
        Assert.Equal(TimeSpan.MaxValue, _outstanding.Deadline);
    }

    [Fact]
    public void C152_responses_in_order_release_one_each()
    {
        for (var i = 0; i < 3; i++) Add();
        for (var i = 0u; i < 3; i++) Assert.Equal([i], Answer(i));
    }

    [Fact]
    public void C153_early_responses_are_remembered_and_the_oldests_releases_the_whole_run_in_order()
    {
        for (var i = 0; i < 4; i++) Add();
        Assert.Empty(Answer(2));
        Assert.Empty(Answer(1));
        Assert.Equal([0u, 1u, 2u], Answer(0));
        Assert.Equal(1, _outstanding.Count);
    }

    [Fact]
    public void C154_responses_outside_of_what_is_outstanding_are_not_remembered()
    {
        Add();
        Answer(0);
        Add();
        Assert.Null(_outstanding.Answer(0, delivered: true));
        Assert.Null(_outstanding.Answer(2, delivered: true));
        Add();
        Assert.Empty(Answer(2));
        Assert.Null(_outstanding.Answer(2, delivered: true));
    }

    [Fact]
    public void C155_the_oldest_command_without_response_sets_the_deadline_until_all_are_answered()
    {
        Add();
        Add(Deadline * 2);
        Assert.Equal(Deadline, _outstanding.Deadline);
        Answer(1);
        Assert.Equal(Deadline, _outstanding.Deadline);
        Answer(0);
        Assert.Equal(TimeSpan.MaxValue, _outstanding.Deadline);
        Add();
        _outstanding.Clear();
        Assert.Equal(TimeSpan.MaxValue, _outstanding.Deadline);
    }

    [Fact]
    public void D18_counter_goes_on_after_a_reset()
    {
        Add();
        _outstanding.Clear();
        Assert.Equal(1u, Add());
    }

    [Fact]
    public void D18_counter_of_commands_wraps_to_0()
    {
        var outstanding = new OutstandingCommands(uint.MaxValue);
        var command = new CarCommand(new Device(), ByteString.Empty);
        Assert.Equal(uint.MaxValue, outstanding.Add(command, null, Deadline));
        Assert.Equal(0u, outstanding.Add(command, null, Deadline));
        Assert.NotNull(outstanding.Answer(0, delivered: true));
        Assert.NotNull(outstanding.Answer(uint.MaxValue, delivered: true));
        Assert.True(outstanding.TryRelease(out _));
        Assert.True(outstanding.TryRelease(out _));
    }
}
