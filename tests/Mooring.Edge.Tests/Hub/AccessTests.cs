using System.Net;
using Mooring.Edge.Hub;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Hub;

/// <summary>Who may do what at the operators' API.</summary>
public sealed class AccessTests : MooringTest
{
    private const string List = "/api/orchestrators";

    /// <summary>What a proxy adds: the request comes from somewhere else than this machine.</summary>
    private static readonly (string, string) FromAfar = ("X-Forwarded-For", "192.0.2.1");

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-hub").FullName;

    [Fact]
    public async Task RequestOnLoopback_NeedsNoToken()
    {
        var hub = await StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await hub.GetAsync(List, TestTimeout)).Status);
    }

    [Theory]
    [InlineData("X-Forwarded-For", "192.0.2.1")]
    [InlineData("Forwarded", "for=192.0.2.1")]
    [InlineData("Host", "evil.example.org")]
    [InlineData("Origin", "https://evil.example.org")]
    [InlineData("Origin", "null")]
    public async Task RequestFromElsewhereOrOfAForeignPage_NeedsAToken(string header, string value)
    {
        var hub = await StartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Get, List, null, TestTimeout, (header, value))).Status);
    }

    [Theory]
    [InlineData(HubRole.Viewer, 200, 403, 403)]
    [InlineData(HubRole.Operator, 200, 503, 403)]
    [InlineData(HubRole.Admin, 200, 503, 503)]
    public async Task Roles_MayDoWhatTheirsIs(HubRole role, int look, int act, int raw)
    {
        var token = await TokenAsync("somebody", role);
        var hub = await StartAsync();
        await hub.EnrolAsync("a1", TestTimeout);
        Assert.Equal(look, await StatusAsync(hub, HttpMethod.Get, List, token));
        Assert.Equal(act, await StatusAsync(hub, HttpMethod.Post, List + "/a1/devices/plc/stop", token));
        Assert.Equal(raw, await StatusAsync(hub, HttpMethod.Post, List + "/a1/topics/anything", token));
    }

    [Fact]
    public async Task TokenOfOneAgent_SeesThatOneOnly()
    {
        var token = await TokenAsync("somebody", HubRole.Admin, "a1");
        var hub = await StartAsync();
        await hub.EnrolAsync("a1", TestTimeout);
        await hub.EnrolAsync("a2", TestTimeout);
        var (_, agents) = await hub.SendAsync(HttpMethod.Get, List, null, TestTimeout, FromAfar, ("Authorization", "Bearer " + token));
        Assert.Equal("a1", Assert.Single(agents.EnumerateArray()).GetProperty("id").GetString());
        Assert.Equal(200, await StatusAsync(hub, HttpMethod.Get, List + "/a1", token));
        Assert.Equal(403, await StatusAsync(hub, HttpMethod.Get, List + "/a2", token));
        Assert.Equal(403, await StatusAsync(hub, HttpMethod.Post, "/agent/command", token, "{\"agent_id\":\"a2\",\"topic\":\"x\"}"));
    }

    [Fact]
    public async Task WrongOldAndRemovedTokens_AreWorthNothing()
    {
        var good = await TokenAsync("good", HubRole.Viewer);
        var removed = await TokenAsync("removed", HubRole.Viewer);
        var expired = await HubCommands.CreateTokenAsync(Options, "expired", HubRole.Viewer, [], TimeSpan.FromTicks(1), TestTimeout);
        Assert.True(await HubCommands.RemoveTokenAsync(Options, "removed", TestTimeout));
        var hub = await StartAsync();
        Assert.Equal(200, await StatusAsync(hub, HttpMethod.Get, List, good));
        foreach (var bad in new[] { removed, expired, good + "x", "mhub_", "nonsense" })
            Assert.Equal(401, await StatusAsync(hub, HttpMethod.Get, List, bad));
    }

    [Fact]
    public async Task WrongTokenOnLoopback_IsNotForgiven()
    {
        var hub = await StartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await hub.SendAsync(HttpMethod.Get, List, null, TestTimeout, ("Authorization", "Bearer mhub_wrong"))).Status);
    }

    [Fact]
    public async Task AgentsListener_HasNoOperatorsApi()
    {
        var hub = await StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } });
        foreach (var path in new[] { List, "/api/edge/events", "/agent/command", "/health/live" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://127.0.0.1:{hub.Agents.Port}{path}");
            request.Headers.Host = $"127.0.0.1:{hub.Http.BaseAddress!.Port}";
            using var response = await http.SendAsync(request, TestTimeout);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }
    }

    private HubOptions Options => new() { Folder = _folder };

    private Task<string> TokenAsync(string name, HubRole role, params string[] agents) =>
        HubCommands.CreateTokenAsync(Options, name, role, agents, null, TestTimeout);

    private async Task<int> StatusAsync(HubUnderTest hub, HttpMethod method, string path, string token, string? json = null) =>
        (int)(await hub.SendAsync(method, path, json, TestTimeout, FromAfar, ("Authorization", "Bearer " + token))).Status;

    private async Task<HubUnderTest> StartAsync() => Own(await HubUnderTest.StartAsync(Log, _folder));
}
