using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

/// <summary>Our client against a scripted server of generation B: how it comes in, what refusals mean, how it comes back.</summary>
public sealed class HandshakeScriptTests : MooringTest
{
    private const int TryingAgain = 6511;
    private readonly TestClock _clock = new();
    private int _passed;

    private Task<TunnelClient> ConnectAsync(ScriptedServer server, bool keepsTrying = false, params TunnelDefinition[] tunnels) => TunnelClient.ConnectAsync(
        new TunnelClientOptions
        {
            Server = server.Address, Token = "tok123456", KeepsTryingAtStart = keepsTrying, Tunnels = tunnels.Length > 0 ? tunnels : [new TunnelDefinition { LocalPort = 1, Subdomain = "myapp" }],
        },
        LoggerFactory, _clock, TestTimeout);

    // The client's waits between connections pass at once, and nothing else does.
    private async Task<T> AdvancingAsync<T>(Task<T> task)
    {
        while (await Task.WhenAny(task, Log.WhenAsync(_ => Waits() > _passed, TestTimeout)) != task)
        {
            TestTimeout.ThrowIfCancellationRequested();
            _passed = Waits();
            _clock.AdvanceToNextTimer();
        }
        return await task;

        int Waits() => Log.Entries.Count(entry => entry.Event.Id == TryingAgain);
    }

    private static Func<ScriptedConnection, Task> Refusing(string code, Func<ScriptedConnection, bool> isRefused) => async connection =>
    {
        if (!isRefused(connection))
        {
            await connection.WelcomeAsync(2);
            await connection.UntilClosedAsync();
            return;
        }
        await connection.HearAsync();
        await connection.SendAsync(output => FrameWriter.WriteWelcome(output, 2, Capabilities.None));
        await connection.HearAsync();
        await connection.SendAsync(output => FrameWriter.WriteError(output, code, "no"));
        await connection.UntilClosedAsync();
    };

    [Fact]
    public async Task Item69_75_AuthComesFirst_ThenEachTunnelInOrder_AndNoBearerToken()
    {
        var script = new TaskCompletionSource<(string Bearer, List<HeardFrame> Heard)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            script.SetResult((connection.Authorization, await connection.WelcomeAsync(2, tunnels: 2)));
            await connection.UntilClosedAsync();
        });
        await using var client = await ConnectAsync(server, false, new TunnelDefinition { LocalPort = 1, Subdomain = "first" }, new TunnelDefinition { LocalPort = 2, Subdomain = "second" });
        var (bearer, heard) = await script.Task.WaitAsync(TestTimeout);
        Assert.Equal([FrameKind.Auth, FrameKind.TunnelCreate, FrameKind.TunnelCreate], heard.Select(frame => frame.Kind));
        Assert.Equal(("tok123456", 3, "first", "second", ""), (heard[0].Token, heard[0].Version, heard[1].Subdomain, heard[2].Subdomain, bearer));
        Assert.Equal(["https://first.example.org", "https://second.example.org"], client.Tunnels.Select(tunnel => tunnel.Url));
    }

    [Theory]
    [InlineData("UNAUTHORIZED", TunnelOutcome.Terminal)]
    [InlineData("SUBDOMAIN_UNAVAILABLE", TunnelOutcome.Terminal)]
    [InlineData("TCP_DISABLED", TunnelOutcome.Terminal)]
    [InlineData("INVALID_HOSTNAME", TunnelOutcome.Invalid)]
    public async Task Item70_71_TerminalRefusal_EndsTheClient_AfterOneConnection(string code, TunnelOutcome outcome)
    {
        await using var server = await ScriptedServer.StartAsync(Refusing(code, _ => true));
        var refused = await Assert.ThrowsAsync<TunnelException>(() => AdvancingAsync(ConnectAsync(server, keepsTrying: true)));
        Assert.Equal((code, outcome, 1), (refused.Code, refused.Outcome, server.Connections));
    }

    [Fact]
    public async Task Item72_NameThatIsTakenForAMoment_IsAskedForAgain_OnANewConnection()
    {
        await using var server = await ScriptedServer.StartAsync(Refusing("SUBDOMAIN_TAKEN", connection => connection.Number == 1));
        await using var client = await AdvancingAsync(ConnectAsync(server, keepsTrying: true));
        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public async Task Item73_DroppedClient_AsksForTheNameThatItWasGiven()
    {
        var again = new TaskCompletionSource<string>();
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            var heard = await connection.WelcomeAsync(2, name: "magical-gould");
            if (connection.Number == 1) await connection.CloseAsync(1012);
            else again.SetResult(heard[1].Subdomain);
            await connection.UntilClosedAsync();
        });
        await using var client = await ConnectAsync(server, false, new TunnelDefinition { LocalPort = 1 });
        Assert.Equal("magical-gould", await AdvancingAsync(again.Task));
    }

    [Fact]
    public async Task Item76_TransientRefusals_OutlastTheBudget()
    {
        await using var server = await ScriptedServer.StartAsync(Refusing("SERVICE_UNAVAILABLE", connection => connection.Number <= 12));
        await using var client = await AdvancingAsync(ConnectAsync(server, keepsTrying: true));
        Assert.Equal(13, server.Connections);
    }

    [Fact]
    public async Task Item77_SeventhRefusalOfNoKnownKind_EndsTheClient()
    {
        await using var server = await ScriptedServer.StartAsync(Refusing("STRANGE", _ => true));
        var refused = await Assert.ThrowsAsync<TunnelException>(() => AdvancingAsync(ConnectAsync(server, keepsTrying: true)));
        Assert.Equal(("RETRY_BUDGET_EXHAUSTED", TunnelOutcome.Exhausted, 7), (refused.Code, refused.Outcome, server.Connections));
    }

    [Theory]
    [InlineData(502, TunnelOutcome.Gateway)]
    [InlineData(503, TunnelOutcome.Gateway)]
    [InlineData(504, TunnelOutcome.Gateway)]
    [InlineData(404, TunnelOutcome.Unreachable)]
    [InlineData(429, TunnelOutcome.Unreachable)]
    [InlineData(500, TunnelOutcome.Unreachable)]
    public async Task Item79_StatusInsteadOfTheUpgrade_TellsWhetherItIsAGateway(int status, TunnelOutcome outcome)
    {
        await using var server = await ScriptedServer.StartAsync(_ => Task.CompletedTask, refuse: _ => status);
        var refused = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(server));
        Assert.Equal(($"HTTP_{status}", outcome), (refused.Code, refused.Outcome));
    }

    [Fact]
    public async Task ServerThatIsNotThere_IsAskedAgainAfterOneSecondTwoFourAndSoOnUpToAMinute_AndFromTheBeginningOnceItWas()
    {
        const int Failures = 8;
        var dropped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync(
            async connection =>
            {
                await connection.WelcomeAsync(2);
                if (connection.Number == Failures + 1) await connection.CloseAsync(1012);
                else dropped.TrySetResult();
                await connection.UntilClosedAsync();
            },
            refuse: number => number <= Failures ? 500 : null);
        await using var client = await AdvancingAsync(ConnectAsync(server, keepsTrying: true));
        await AdvancingAsync(dropped.Task.ContinueWith(_ => true, TaskScheduler.Default));
        var waits = Log.Entries.Where(entry => entry.Event.Id == TryingAgain).Select(entry => double.Parse(entry.Message.Split(' ')[^2], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        double[] series = [1, 2, 4, 8, 16, 32, 60, 60, 1];
        Assert.Equal(series.Length, waits.Length);
        Assert.All(series.Zip(waits), pair => Assert.InRange(pair.Second, pair.First * 0.49, Math.Min(pair.First * 1.51, 60)));
    }

    [Fact]
    public async Task OldServerThatIgnoresAHostname_IsLeft()
    {
        await using var server = await ScriptedServer.StartAsync(connection => connection.WelcomeAsync(2));
        var refused = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(server, false, new TunnelDefinition { LocalPort = 1, Hostname = "app.example.net" }));
        Assert.Equal(("HOSTNAME_IGNORED", TunnelOutcome.Terminal), (refused.Code, refused.Outcome));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ServerOfGenerationA_IsRecognised_ByItsAnswerOrByItsClose(bool answers)
    {
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            if (connection.Number == 1)
            {
                await connection.ReceiveAsync();
                if (answers) await connection.SendAsync(new ControlMessage.AuthResp(null, null, null, "Invalid auth token"));
                await connection.CloseAsync(1000);
                return;
            }
            await connection.HearAsync<ControlMessage.Auth>();
            await connection.SendAsync(new ControlMessage.AuthResp("srv-1", null, null, null));
            var asked = await connection.HearAsync<ControlMessage.ReqTunnel>();
            await connection.SendAsync(new ControlMessage.NewTunnel(asked.ReqId, "https://keep.t.test", "http", "keep", null, null));
            await connection.UntilClosedAsync();
        });
        await using var client = await AdvancingAsync(ConnectAsync(server));
        Assert.Equal(("https://keep.t.test", 2), (client.Tunnels[0].Url, server.Connections));
    }

    [Fact]
    public async Task ServerThatSaysNothing_IsLeftAfterTheTimeOfAStep()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await connection.HearAsync();
            asked.SetResult();
            await connection.UntilClosedAsync();
        });
        var connecting = ConnectAsync(server);
        await asked.Task.WaitAsync(TestTimeout);
        await _clock.WhenTimerDueInAsync(ClientSession.StepTimeout, TestTimeout);
        _clock.Advance(ClientSession.StepTimeout);
        var failed = await Assert.ThrowsAsync<TunnelException>(() => connecting);
        Assert.Equal(TunnelOutcome.Unreachable, failed.Outcome);
    }
}
