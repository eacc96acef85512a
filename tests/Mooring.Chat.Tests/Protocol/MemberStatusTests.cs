using Mooring.Chat.Protocol;

namespace Mooring.Chat.Tests.Protocol;

/// <summary>The table of docs/wire/chat.md, cell by cell.</summary>
public sealed class MemberStatusTests
{
    private static readonly MemberEvent[] Events =
        [MemberEvent.Joined, MemberEvent.Sent, MemberEvent.Paused, MemberEvent.Resumed, MemberEvent.Failed, MemberEvent.CloseRequested, MemberEvent.Gone];

    /// <summary>A status, and what it becomes after each event in the order above; a hyphen for what is refused.</summary>
    [Theory]
    [InlineData("NEW", "CONNECTED - - - ERROR CLOSING CLOSED")]
    [InlineData("CONNECTED", "CONNECTED ACTIVE SUSPENDED CONNECTED ERROR CLOSING CLOSED")]
    [InlineData("ACTIVE", "ACTIVE ACTIVE SUSPENDED ACTIVE ERROR CLOSING CLOSED")]
    [InlineData("SUSPENDED", "SUSPENDED ACTIVE SUSPENDED CONNECTED ERROR CLOSING CLOSED")]
    [InlineData("ERROR", "- - - - - CLOSING CLOSED")]
    [InlineData("CLOSING", "- - - - - CLOSING CLOSED")]
    [InlineData("CLOSED", "- - - - - - -")]
    public void Status_after_each_event(string from, string expected)
    {
        var status = Enum.GetValues<MemberStatus>().Single(candidate => candidate.Name() == from);
        Assert.Equal(expected, string.Join(' ', Events.Select(happened => status.After(happened)?.Name() ?? "-")));
    }

    [Fact]
    public void Who_has_sent_before_its_suspension_is_active_after_it() =>
        Assert.Equal(MemberStatus.Active, MemberStatus.Suspended.After(MemberEvent.Resumed, hasSent: true));

    [Fact]
    public void Connected_and_active_members_receive_and_no_others() =>
        Assert.Equal([MemberStatus.Connected, MemberStatus.Active], Enum.GetValues<MemberStatus>().Where(status => status.Receives()));
}
