using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Debugging;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Debugging;

/// <summary>Debugging over <c>run_command</c>, against a debugger on the socket.io of npm.</summary>
[Trait("Peer", "real")]
public sealed class DebugSessionsTests : MooringTest
{
    private readonly RuntimeCaller _caller = new(new AgentOptions(), TimeProvider.System);
    private DebugSessions? _sessions;
    private int _port;

    [Fact]
    public async Task Session_FromLoginToStop()
    {
        await StartAsync();
        Assert.Equal("debug_connected", await TypeAsync("""{"type":"debug_start","username":"anna","password":"secret"}"""));
        Assert.Equal("""{"type":"debug_md5_response","md5":"abc"}""", await AskAsync("""{"type":"debug_get_md5"}"""));
        Assert.Equal("""{"type":"debug_info_response","variable_count":3}""", await AskAsync("""{"type":"debug_info"}"""));
        Assert.Equal("""{"type":"debug_values_response","tick":256,"data":"01 2A 00"}""", await AskAsync("""{"type":"debug_get_list","indexes":[1,2]}"""));
        Assert.Equal("""{"type":"debug_set_response","success":true}""", await AskAsync("""{"type":"debug_set","index":1,"value":"01"}"""));
        Assert.Equal("""{"type":"debug_command_response","data":"41 00 03"}""", await AskAsync("""{"type":"debug_command","command":"41"}"""));
        Assert.Equal("debug_disconnected", await TypeAsync("""{"type":"debug_stop"}"""));
        Assert.Contains("no debug session", await AskAsync("""{"type":"debug_info"}"""));
        Assert.Equal("debug_disconnected", await TypeAsync("""{"type":"debug_stop"}"""));
    }

    [Fact]
    public async Task Session_WithTheBrowsersOwnToken_ReplacesTheOlder()
    {
        await StartAsync();
        for (var time = 0; time < 3; time++) Assert.Equal("debug_connected", await TypeAsync("""{"type":"debug_start","token":"token-1"}"""));
        Assert.Equal("debug_info_response", await TypeAsync("""{"type":"debug_info"}"""));
    }

    [Theory]
    [InlineData("""{"type":"debug_start"}""", "username and password, or token")]
    [InlineData("""{"type":"debug_start","username":"anna","password":"wrong"}""", "refused the login: 401")]
    [InlineData("""{"type":"debug_start","token":"other"}""", "no such token")]
    [InlineData("""{"type":"debug_start","token":"t","port":0}""", "port 0")]
    [InlineData("""{"type":"debug_info"}""", "no debug session")]
    [InlineData("\"text\"", "must be an object")]
    public async Task WithoutSession_EveryFailureIsDebugError(string request, string reason)
    {
        await StartAsync();
        var answer = await AskAsync(request);
        Assert.StartsWith("""{"type":"debug_error","error":""", answer);
        Assert.Contains(reason, answer);
    }

    [Theory]
    [InlineData("""{"type":"debug_get_list","indexes":[]}""", "1 to 256")]
    [InlineData("""{"type":"debug_get_list","indexes":[65536]}""", "1 to 256")]
    [InlineData("""{"type":"debug_get_list","indexes":["1"]}""", "1 to 256")]
    [InlineData("""{"type":"debug_set","index":-1}""", "index must be")]
    [InlineData("""{"type":"debug_set"}""", "index must be")]
    [InlineData("""{"type":"debug_set","index":1,"value":"0x1"}""", "hexadecimal")]
    [InlineData("""{"type":"debug_set","index":65535,"value":"00"}""", "index out of bounds")]
    [InlineData("""{"type":"debug_command","command":"99"}""", "unknown: 99")]
    [InlineData("""{"type":"debug_command","command":""}""", "hexadecimal")]
    [InlineData("""{"type":"debug_dance"}""", "debug_dance is not known")]
    [InlineData("""{"type":"debug_command","command":"43 00 00 00 00"}""", "did not answer within 5 s")]
    public async Task InSession_EveryFailureIsDebugError_AndTheSessionGoesOn(string request, string reason)
    {
        await StartAsync();
        Assert.Equal("debug_connected", await TypeAsync("""{"type":"debug_start","token":"token-1"}"""));
        var answer = await AskAsync(request);
        Assert.StartsWith("""{"type":"debug_error","error":""", answer);
        Assert.Contains(reason, answer);
        Assert.Equal("debug_info_response", await TypeAsync("""{"type":"debug_info"}"""));
    }

    [Fact]
    public async Task SessionThatNobodyUses_IsClosedAfterFiveMinutes_AndOneThatIsUsed_Stays()
    {
        var clock = new TestClock();
        await StartAsync(clock);
        using var stop = new CancellationTokenSource();
        var sweeping = _sessions!.RunAsync(stop.Token);
        foreach (var device in new[] { "used", "idle" }) Assert.Contains("debug_connected", await AskAsync("""{"type":"debug_start","token":"token-1"}""", device));
        for (var minute = 1; minute <= 5; minute++)
        {
            clock.Advance(TimeSpan.FromSeconds(59));
            await AskAsync("""{"type":"debug_get_list","indexes":[1]}""", "used");
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        await Eventually.TrueAsync(async () => (await AskAsync("""{"type":"debug_dance"}""", "idle")).Contains("no debug session", StringComparison.Ordinal), "the end of the idle one", TestTimeout);
        Assert.Contains("debug_dance is not known", await AskAsync("""{"type":"debug_dance"}""", "used"));
        await stop.CancelAsync();
        await sweeping;
    }

    [Fact]
    public async Task DebuggerThatAcceptsAndStaysSilent_IsGivenUpAfterTenSeconds()
    {
        var clock = new TestClock();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        _port = ((IPEndPoint)silent.LocalEndpoint).Port;
        _sessions = new DebugSessions(_caller, clock, LoggerFactory);
        var asked = AskAsync("""{"type":"debug_start","token":"token-1"}""");
        using var connection = await silent.AcceptSocketAsync(TestTimeout);
        var began = clock.GetTimestamp();
        await Eventually.TrueAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return asked.IsCompleted;
        }, "the end of the wait", TestTimeout);
        Assert.StartsWith("""{"type":"debug_error","error":""", await asked);
        Assert.Contains("within 10 s", await asked);
        Assert.True(clock.GetElapsedTime(began) >= TimeSpan.FromSeconds(9));
    }

    public override async ValueTask DisposeAsync()
    {
        if (_sessions is not null) await _sessions.DisposeAsync();
        _caller.Dispose();
        await base.DisposeAsync();
    }

    private async Task StartAsync(TimeProvider? time = null)
    {
        var runtime = Own(ProcessUnderTest.Start(NodePeer.Start("runtime-debugger.cjs")));
        _port = int.Parse((await runtime.LineAsync("listening on", TestTimeout)).Split(' ')[^1]);
        _sessions = new DebugSessions(_caller, time ?? TimeProvider.System, LoggerFactory);
    }

    private async Task<string> AskAsync(string request, string device = "plc1")
    {
        using var message = JsonDocument.Parse(request);
        return Plain(await _sessions!.AnswerAsync(device, "127.0.0.1", _port, message.RootElement, TestTimeout));
    }

    private async Task<string> TypeAsync(string request) => (string)JsonNode.Parse(await AskAsync(request))!["type"]!;

    private static string Plain(JsonObject answer) => answer.ToJsonString();
}
