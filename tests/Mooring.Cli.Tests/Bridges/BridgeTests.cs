using Mooring.Chat;
using Mooring.Cli.Hosting.Bridges;
using Mooring.Edge.Hub;
using Mooring.Fleet;
using Mooring.Fleet.Cars;
using Mooring.Kernel.Events;
using Mooring.Testing;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Tests.Bridges;

/// <summary>Which events are posted and as what, and who gets which answer.</summary>
public sealed class BridgeTests : MooringTest
{
    private const int Longest = 255;

    [Theory]
    [InlineData("fleet", "fleet", "car_online", EventSeverity.Notice, true)]
    [InlineData("fleet", "edge", "car_online", EventSeverity.Notice, false)]
    [InlineData("fleet.car_lost", "fleet", "car_online", EventSeverity.Alarm, false)]
    [InlineData("fleet.*:warning", "fleet", "car_lost", EventSeverity.Warning, true)]
    [InlineData("*:alarm", "broker", "memory_short", EventSeverity.Warning, false)]
    [InlineData("*:alarm", "broker", "memory_short", EventSeverity.Alarm, true)]
    public void Rule_fits_system_kind_and_severity(string text, string system, string kind, EventSeverity severity, bool fits)
    {
        Assert.True(BridgeRule.TryParse(text, out var rule, out _));
        Assert.Equal(fits, rule.Fits(Event(system, "x", kind, severity)));
    }

    [Theory]
    [InlineData("cars", "'cars' is no system")]
    [InlineData("fleet:loud", "'loud' is no severity")]
    [InlineData("fleet:2", "'2' is no severity")]
    [InlineData("fleet.car online", "is no kind")]
    [InlineData("fleet.", "is no kind")]
    [InlineData("fleet=two rooms", "is no name")]
    [InlineData("", "is no system")]
    public void Rule_that_cannot_be_is_explained(string text, string problem)
    {
        Assert.False(BridgeRule.TryParse(text, out _, out var found));
        Assert.Contains(problem, found, StringComparison.Ordinal);
    }

    [Fact]
    public void Event_goes_once_into_each_room_that_a_rule_names()
    {
        BridgeRule[] rules = [.. new[] { "fleet", "*:warning", "*:alarm=alarms" }.Select(Rule)];
        var options = new BridgeOptions { Room = "operations", Rules = rules };
        Assert.Equal(["operations", "alarms"], options.RoomsFor(Event("fleet", "car_1", "car_lost", EventSeverity.Alarm)));
        Assert.Empty((options with { Room = null }).RoomsFor(Event("fleet", "car_1", "car_lost", EventSeverity.Alarm)));
    }

    [Fact]
    public void Many_events_of_a_kind_become_one_line_and_many_kinds_no_more_than_the_rate()
    {
        var clock = new TestClock();
        var digest = new EventDigest(perMinute: 6, clock);
        for (var i = 0; i < 1_000; i++) digest.Add(Event("fleet", $"car_{i}", "car_online", EventSeverity.Notice));
        digest.Add(Event("broker", "memory", "memory_short", EventSeverity.Alarm));
        Assert.Equal(
            "fleet car_online: 1000 times, car_0, car_1, car_2, car_3, car_4, ...\nALARM broker memory memory_short: some text", digest.Take(Longest));
        Assert.Null(digest.Take(Longest));
        for (var i = 1; i < BridgeLimits.Burst; i++)
        {
            digest.Add(Event("fleet", "a", "k", EventSeverity.Notice));
            Assert.NotNull(digest.Take(Longest));
        }
        digest.Add(Event("fleet", "a", "k", EventSeverity.Notice));
        Assert.Null(digest.Take(Longest));
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("fleet a k: some text", digest.Take(Longest));
    }

    [Fact]
    public void Kinds_beyond_the_bound_are_counted_and_no_message_is_too_long()
    {
        var digest = new EventDigest(600, new TestClock());
        for (var i = 0; i < 20; i++) digest.Add(Event("fleet", new string('n', 300), $"kind_{i}", EventSeverity.Notice));
        var texts = new List<string>();
        var clockless = 0;
        while (clockless++ < BridgeLimits.Burst && digest.Take(Longest) is { } text) texts.Add(text);
        Assert.All(texts, text => Assert.InRange(text.Length, 1, Longest));
        Assert.Equal(BridgeLimits.Burst, texts.Count);
    }

    [Theory]
    [InlineData("/cars", "2 car(s), 1 in a session, 1 in error|a: running, session 7, 2 device(s), 5 status(es), 0 command(s)|b: connected, session none, 0 device(s), 0 status(es), 0 command(s): no module")]
    [InlineData("/car A", "a: running, session 7, 2 device(s), 5 status(es), 0 command(s)")]
    [InlineData("/car c", "there is no car 'c'")]
    [InlineData("/agents", "plant: online, processor 12.5 %, memory 1 of 4 GiB, disk 2 of 8 GiB")]
    [InlineData("/tunnels", "the tunnel server is not a part of this process")]
    [InlineData("/runtime plc start", "not understood; use /cars, /car NAME, /agents, /tunnels, /runtime [AGENT/]NAME restart")]
    public async Task Command_is_answered(string command, string answer) =>
        Assert.Equal(answer.Split('|'), await AskAsync(command, account: null));

    [Theory]
    [InlineData(null, "eve: restarting is for accounts; present a token (AUTH) first")]
    [InlineData("eve", "eve may not restart runtimes; bridges.allow names who may")]
    [InlineData("alice", "plc restarted by alice")]
    public async Task Restarting_is_for_accounts_that_are_listed(string? account, string answer) =>
        Assert.Equal([answer], await AskAsync("/runtime plc restart", account));

    [Fact]
    public void Long_answer_is_cut_into_messages_and_its_end_counted()
    {
        string[] lines = [.. Enumerable.Range(0, 1_000).Select(i => $"{i} " + new string('x', 100))];
        var messages = ChatBridge.Messages(lines, Longest).ToList();
        Assert.Equal(BridgeLimits.AnswerMessagesMax, messages.Count);
        Assert.All(messages, text => Assert.InRange(text.Length, 1, Longest));
        Assert.Equal("and 982 more", messages[^1]);
    }

    private static BridgeRule Rule(string text) => BridgeRule.TryParse(text, out var rule, out var problem) ? rule : throw new ArgumentException(problem);

    private static OperatorEvent Event(string system, string subject, string kind, EventSeverity severity) =>
        new(1, DateTimeOffset.UnixEpoch, system, subject, kind, severity, "some text");

    private Task<IReadOnlyList<string>> AskAsync(string command, string? account) => new BridgeCommands(new Systems()).AnswerAsync(
        new ChatRemark("operations", account ?? "eve", account, command), new BridgeOptions { Room = "operations", Allowed = ["alice"] }, TestTimeout);

    private sealed class Systems : IBridgedSystems
    {
        public IEnumerable<CarGlance> Cars =>
        [
            new CarGlance("b", true, CarState.Connected) { Problem = "no module" }, new CarGlance("a", true, CarState.Running) { Session = "7", Devices = 2, Statuses = 5 },
        ];

        public IEnumerable<AgentGlance> Agents => [new AgentGlance("plant", "Plant", "online", new AgentLoad("1", 12.5, 1, 4, 2, 8))];

        public IEnumerable<TunnelGlance>? Tunnels => null;

        public Task<string> RestartRuntimeAsync(string name, string who, CancellationToken cancellationToken) => Task.FromResult($"{name} restarted by {who}");
    }
}
