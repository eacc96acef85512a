using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Hubs;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Tests.Hub;
using Mooring.Kernel.Links;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Hubs;

/// <summary>The agent's connection to a hub of ours, by a clock that moves when it is told to.</summary>
public sealed class HubLinkTests : MooringTest
{
    private const string Id = "plant01";

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-link-").FullName;
    private readonly TestClock _clock = new(TimeProvider.System.GetUtcNow());
    private readonly CancellationTokenSource _stop = new();
    private readonly int _port = FreePort.Next();
    private ServiceProvider? _services;

    [Fact]
    public async Task D36_HubThatIsGoneForAnHour_IsAskedForAtMostEvery30Seconds_AndHearsWhatHappenedWhenItIsBack()
    {
        Expect(7061);
        var hub = await StartHubAsync();
        var link = NewLink(await hub.EnrolAsync(Id, TestTimeout));
        var running = link.RunAsync(_stop.Token);
        await Until(() => link.IsUp);
        await hub.DisposeAsync();
        await Until(() => !link.IsUp);
        link.Emit("device_event", new JsonObject { ["device_id"] = "plc1", ["kind"] = "while_the_hub_was_gone" });

        var waits = new List<TimeSpan>();
        var gone = _clock.GetUtcNow();
        while (_clock.GetUtcNow() - gone < TimeSpan.FromHours(1))
        {
            await Until(() => link.State == LinkState.Waiting && _clock.ActiveTimers == 1);
            waits.Add(_clock.Waits.Single());
            _clock.AdvanceToNextTimer();
        }
        // 1 s doubling to 30 s, with a third of it by chance.
        Assert.All(waits, wait => Assert.InRange(wait.TotalSeconds, 1, 30));
        Assert.All(waits.Skip(6), wait => Assert.InRange(wait.TotalSeconds, 20, 30));
        Assert.InRange(waits.Count, 120, 190);

        await using var back = await StartHubAsync();
        await ReturnAsync(link);
        using var watch = new EventWatch(back.Http, "/api/edge/events?after=0");
        Assert.Contains("while_the_hub_was_gone", (await watch.NextAsync("device_event", TestTimeout)).ToString());
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task HubThatWasNeverThere_IsAskedForEveryFiveSeconds_AndAfterASuccessTheWaitsBeginAtOneSecond()
    {
        Expect(7061);
        var hub = await StartHubAsync();
        var link = NewLink(await hub.EnrolAsync(Id, TestTimeout));
        await hub.DisposeAsync();
        var running = link.RunAsync(_stop.Token);
        for (var tries = 0; tries < 5; tries++) Assert.Equal(TimeSpan.FromSeconds(5), await NextWaitAsync(link));
        for (var success = 0; success < 2; success++)
        {
            hub = await StartHubAsync();
            await ReturnAsync(link);
            // The first connection counts whatever became of it, later ones when they have lasted: a hub that falls over is not stormed.
            if (success > 0) _clock.Advance(TimeSpan.FromSeconds(30));
            await hub.DisposeAsync();
            await Until(() => !link.IsUp);
            Assert.InRange((await NextWaitAsync(link)).TotalSeconds, 1, 1.3);
            Assert.InRange((await NextWaitAsync(link)).TotalSeconds, 1.4, 2.6);
            Assert.InRange((await NextWaitAsync(link)).TotalSeconds, 2.8, 5.2);
        }
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task RuntimeThatAcceptsAndStaysSilent_HoldsUpNoOtherAnswer()
    {
        await using var hub = await StartHubAsync();
        var link = NewLink(await hub.EnrolAsync(Id, TestTimeout));
        var running = link.RunAsync(_stop.Token);
        await Until(() => link.IsUp);
        using var runtime = new TcpListener(IPAddress.Loopback, 0);
        runtime.Start();
        _services!.GetRequiredService<AgentState>().Devices.Set("plc", new DeviceRecord { Name = "plc", Ip = "127.0.0.1" });
        var call = hub.SendAsync(HttpMethod.Post, $"/api/orchestrators/{Id}/devices/plc/run-command",
            $$"""{"method":"GET","api":"api/status","port":{{((IPEndPoint)runtime.LocalEndpoint).Port}}}""", TestTimeout);
        using (await runtime.AcceptSocketAsync(TestTimeout))
        {
            for (var i = 0; i < 20; i++) Assert.Equal(HttpStatusCode.OK, (await hub.GetAsync($"/api/orchestrators/{Id}/serial-devices", TestTimeout)).Status);
            Assert.False(call.IsCompleted);
        }
        // It hangs up, and the call ends with that.
        Assert.Equal(500, (await call).Body.GetProperty("http_response").GetProperty("status_code").GetInt32());
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task D19_AnswerThatIsTooLargeForTheHub_IsAnErrorInstead_AndTheConnectionStays()
    {
        await using var hub = await HubUnderTest.StartAsync(Log, _folder, options => options with
        {
            Agents = new IPEndPoint(IPAddress.Loopback, _port), Limits = new Mooring.Edge.Hub.HubLimits { PayloadBytesMax = 20_000 },
        });
        var link = NewLink(await hub.EnrolAsync(Id, TestTimeout));
        var running = link.RunAsync(_stop.Token);
        await Until(() => link.IsUp);
        using var runtime = new TcpListener(IPAddress.Loopback, 0);
        runtime.Start();
        _services!.GetRequiredService<AgentState>().Devices.Set("plc", new DeviceRecord { Name = "plc", Ip = "127.0.0.1" });
        var call = hub.SendAsync(HttpMethod.Post, $"/api/orchestrators/{Id}/devices/plc/run-command",
            $$"""{"method":"GET","api":"api/logs","port":{{((IPEndPoint)runtime.LocalEndpoint).Port}}}""", TestTimeout);
        using (var connection = await runtime.AcceptSocketAsync(TestTimeout))
            await connection.SendAsync(System.Text.Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + new string('x', 50_000)), TestTimeout);
        var (status, problem) = await call;
        Assert.Equal(HttpStatusCode.BadGateway, status);
        Assert.Contains("20000", problem.ToString().Replace(",", "", StringComparison.Ordinal));
        Assert.True(link.IsUp);
        Assert.Equal(HttpStatusCode.OK, (await hub.GetAsync($"/api/orchestrators/{Id}/serial-devices", TestTimeout)).Status);
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task D30_RenewedCertificate_IsUsedAtTheNextConnection_WithoutARestart()
    {
        Expect(7061);
        await using var hub = await StartHubAsync();
        var identity = await hub.EnrolAsync(Id, TestTimeout);
        var link = NewLink(identity);
        var running = link.RunAsync(_stop.Token);
        await Until(() => link.IsUp);
        var renewed = await hub.EnrolAsync(Id, TestTimeout);
        // The one from before is worth nothing now.
        await Until(() => link.State == LinkState.Waiting && _clock.ActiveTimers == 1);
        _clock.AdvanceToNextTimer();
        await Log.WhenAsync(e => e.Message.Contains("403", StringComparison.Ordinal), TestTimeout);
        foreach (var file in new[] { "key", "cert" }) File.Copy((string)renewed[file]!, (string)identity[file]!, overwrite: true);
        await ReturnAsync(link);
        Assert.Equal(HttpStatusCode.OK, (await hub.GetAsync($"/api/orchestrators/{Id}/serial-devices", TestTimeout)).Status);
        await _stop.CancelAsync();
        await running;
    }

    [Theory]
    [InlineData("CN=07048933", "07048933")]
    [InlineData("C=BR, ST=SP, L=SaoPaulo, O=AutonomyLogic, OU=Production, CN=07048933", "07048933")]
    [InlineData("O=AutonomyLogic, OU=Production", null)]
    [InlineData("", null)]
    public void AgentsId_IsTheCommonNameOfItsCertificate(string subject, string? id)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        Assert.Equal(id, AgentCertificate.IdOf(certificate));
    }

    [Fact]
    public async Task HubThatEndsAndReturns20Times_LeavesNoTimerAndNoConnectionBehind()
    {
        Expect(7061);
        var hub = await StartHubAsync();
        var link = NewLink(await hub.EnrolAsync(Id, TestTimeout));
        var running = link.RunAsync(_stop.Token);
        await Until(() => link.IsUp);
        var connections = Connections();
        for (var cycle = 0; cycle < 20; cycle++)
        {
            await hub.DisposeAsync();
            // Each wait is the only thing that is left of the connection before.
            await Until(() => link.State == LinkState.Waiting && _clock.ActiveTimers == 1);
            hub = await StartHubAsync();
            await ReturnAsync(link);
        }
        Assert.InRange(Connections(), 1, connections + 1);
        await _stop.CancelAsync();
        await running;
        await Until(() => _clock.ActiveTimers == 0 && Connections() == 0);
        await hub.DisposeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await base.DisposeAsync();
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Task<HubUnderTest> StartHubAsync() =>
        HubUnderTest.StartAsync(Log, _folder, options => options with { Agents = new IPEndPoint(IPAddress.Loopback, _port) });

    /// <summary>The connections to the hub that are open.</summary>
    private int Connections() => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
        .Count(connection => connection.RemoteEndPoint.Port == _port && connection.State == TcpState.Established);

    /// <summary>How long is waited before the next try, which is made then.</summary>
    private async Task<TimeSpan> NextWaitAsync(HubLink link)
    {
        await Until(() => link.State == LinkState.Waiting && _clock.ActiveTimers == 1);
        return _clock.AdvanceToNextTimer();
    }

    private async Task ReturnAsync(HubLink link)
    {
        while (!link.IsUp)
        {
            await Until(() => link.IsUp || (link.State == LinkState.Waiting && _clock.ActiveTimers == 1));
            if (!link.IsUp) _clock.AdvanceToNextTimer();
            await Until(() => link.IsUp || link.State == LinkState.Waiting);
        }
        // The link says so a moment after the hub has let the agent in.
        await Until(() => link.State == LinkState.Up);
    }

    private HubLink NewLink(JsonObject identity)
    {
        var options = new AgentOptions
        {
            Server = new Uri($"https://localhost:{_port}"), DataFolder = _folder,
            CertificateFile = (string)identity["cert"]!, KeyFile = (string)identity["key"]!, AuthorityFile = (string)identity["ca"]!,
        };
        var services = new ServiceCollection()
            .AddSingleton<TimeProvider>(_clock).AddSingleton(LoggerFactory).AddSingleton(typeof(ILogger<>), typeof(Logger<>))
            .AddSingleton<HubLink>().AddSingleton<IHubOutbox>(p => p.GetRequiredService<HubLink>())
            .AddSingleton<IAgentLifetime>(new NoLifetime()).AddSingleton<ITopicAudit>(new NoAudit())
            .AddSingleton(p => new ReloadableCertificate(AgentCertificate.FilesOf(options), _clock, p.GetRequiredService<ILogger<ReloadableCertificate>>()))
            .AddAgentCore(options, new AgentIdentity(Id));
        _services = Own(services.BuildServiceProvider());
        return _services.GetRequiredService<HubLink>();
    }

    private Task Until(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") => Eventually.TrueAsync(condition, what, TestTimeout);

    private sealed class NoLifetime : IAgentLifetime
    {
        public void Stop(string reason) => Assert.Fail(reason);
    }

    private sealed class NoAudit : ITopicAudit
    {
        public void Record(string topic, JsonElement message, JsonObject answer, TimeSpan took)
        {
            // Tested where it is written to a file.
        }
    }
}
