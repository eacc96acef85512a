using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

public sealed class AdminTests : MooringTest
{
    private async Task<(TunnelHost Host, TunnelClient Client, HttpClient Admin)> PublishAsync()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = host.Address, Token = await host.TokenAsync(),
                Tunnels = [new TunnelDefinition { LocalPort = 1, Subdomain = "demo" }, new TunnelDefinition { LocalPort = 2, Protocol = TunnelProtocol.Tcp }],
            },
            LoggerFactory, cancellationToken: TestTimeout));
        return (host, client, new HttpClient { BaseAddress = new Uri(host.Admin, "admin/v1/") });
    }

    private async Task<JsonObject> GetAsync(HttpClient admin, string path) => (await admin.GetFromJsonAsync<JsonObject>(path, TestTimeout))!;

    [Fact]
    public async Task WhatIsConnected_IsListed_AndFoundByItsId()
    {
        var (host, client, admin) = await PublishAsync();
        Assert.Equal(("ok", "ready"), ((string)(await GetAsync(admin, "health"))["status"]!, (string)(await GetAsync(admin, "ready"))["status"]!));
        var session = (await GetAsync(admin, "sessions"))["items"]!.AsArray().Single()!;
        Assert.Equal(2, (int)session["tunnels"]!);
        Assert.Equal("B/3", (string)(await GetAsync(admin, $"sessions/{session["id"]}"))["generation"]!);
        Assert.Equal(client.Tunnels[0].Url, (string)(await GetAsync(admin, "tunnels/demo"))["url"]!);
        var lease = (await GetAsync(admin, "ports"))["items"]!.AsArray().Single()!;
        Assert.Equal((client.Tunnels[1].RemotePort!.Value, (string)session["account"]!), ((int)lease["port"]!, (string)lease["account"]!));
        foreach (var path in new[] { "sessions/x", "tunnels/nobody", "hostnames/app.example.org" })
        {
            using var missing = await admin.GetAsync(path, TestTimeout);
            Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (missing.StatusCode, missing.Content.Headers.ContentType!.MediaType));
        }
        Assert.Equal(host.Server.Sessions.Count, (int)(await GetAsync(admin, "version"))["sessions"]!);
    }

    [Fact]
    public async Task TunnelThatAnOperatorEnds_ClosesItsClientsConnection_WhichIsMadeAgain()
    {
        var (_, _, admin) = await PublishAsync();
        var first = (string)(await GetAsync(admin, "sessions"))["items"]![0]!["id"]!;
        using var ended = await admin.DeleteAsync("tunnels/demo", TestTimeout);
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await Log.WhenAsync(_ => Log.Entries.Count(entry => entry.Event.Id == 6510) == 2, TestTimeout);
        Assert.NotEqual(first, (string)(await GetAsync(admin, "sessions"))["items"]![0]!["id"]!);
    }

    [Fact]
    public async Task Draining_IsNotReady_UntilItIsTakenBack()
    {
        var (_, _, admin) = await PublishAsync();
        using var drained = await admin.PostAsync("drain", null, TestTimeout);
        Assert.Equal(HttpStatusCode.Accepted, drained.StatusCode);
        using var ready = await admin.GetAsync("ready", TestTimeout);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        using var back = await admin.PostAsync("undrain", null, TestTimeout);
        Assert.Equal("ready", (string)(await GetAsync(admin, "ready"))["status"]!);
        using var reloaded = await admin.PostAsync("reload", null, TestTimeout);
        Assert.Equal(HttpStatusCode.NoContent, reloaded.StatusCode);
    }

    [Theory]
    [InlineData("/admin/v1/accounts")]
    [InlineData("/health/live")]
    [InlineData("/")]
    [InlineData("/api/v2")]
    public async Task ClientsListener_HasNothingOfTheOperators(string path)
    {
        var (host, _, _) = await PublishAsync();
        using var outsider = new HttpClient();
        using var answer = await outsider.GetAsync(new Uri($"http://{host.Control}{path}"), TestTimeout);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }
}
