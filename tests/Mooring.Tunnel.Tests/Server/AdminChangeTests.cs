using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>What operators look at closely, change, and are told.</summary>
public sealed class AdminChangeTests : MooringTest
{
    private async Task<(TunnelHost Host, TunnelClient Client, HttpClient Admin, string Account)> PublishAsync()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }] },
            LoggerFactory, cancellationToken: TestTimeout));
        return (host, client, new HttpClient { BaseAddress = new Uri(host.Admin, "admin/v1/") }, host.Server.Sessions.All.Single().Account.Id);
    }

    private async Task<(JsonObject Body, EntityTagHeaderValue Tag)> LookAsync(HttpClient admin, string path)
    {
        using var answer = await admin.GetAsync(path, TestTimeout);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return ((await answer.Content.ReadFromJsonAsync<JsonObject>(TestTimeout))!, answer.Headers.ETag!);
    }

    private async Task<HttpStatusCode> PutAsync(HttpClient admin, string path, JsonObject body, EntityTagHeaderValue? match = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = JsonContent.Create(body) };
        if (match is not null) request.Headers.IfMatch.Add(match);
        using var answer = await admin.SendAsync(request, TestTimeout);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient visitor, CancellationToken cancellationToken)
    {
        using var answer = await visitor.GetAsync("hello", cancellationToken);
        return answer.StatusCode;
    }

    [Fact]
    public async Task Answer_HasAnEntityTag_AndIsNotSentAgainToWhoHasIt()
    {
        var (_, _, admin, account) = await PublishAsync();
        foreach (var path in new[] { $"accounts/{account}", "accounts", "names", "names/demo", "hostnames", "ports", "nodes", $"nodes/{Environment.MachineName}", "takedowns", "version" })
        {
            var (_, tag) = await LookAsync(admin, path);
            using var again = new HttpRequestMessage(HttpMethod.Get, path);
            again.Headers.IfNoneMatch.Add(tag);
            using var answer = await admin.SendAsync(again, TestTimeout);
            Assert.Equal((HttpStatusCode.NotModified, 0), (answer.StatusCode, (await answer.Content.ReadAsByteArrayAsync(TestTimeout)).Length));
        }
        foreach (var path in new[] { "accounts/nobody", "names/nobody", "ports/1", "nodes/nobody", "takedowns/nobody" })
        {
            using var missing = await admin.GetAsync(path, TestTimeout);
            Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (missing.StatusCode, missing.Content.Headers.ContentType!.MediaType));
        }
    }

    [Fact]
    public async Task ChangeOfWhatWasSeen_IsMade_AndOfWhatHasChangedSince_IsRefused()
    {
        var (_, _, admin, account) = await PublishAsync();
        var (before, tag) = await LookAsync(admin, $"accounts/{account}");
        Assert.Single(before["tokens"]!.AsArray());
        var quota = new JsonObject { ["tunnels"] = 3, ["sessions"] = 4, ["streams"] = 5, ["requests_per_second"] = 6, ["bytes_per_day"] = 7_000_000_000 };
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(admin, $"accounts/{account}/quota", quota, tag));
        Assert.Equal(quota.ToJsonString(), (await LookAsync(admin, $"accounts/{account}")).Body["quota"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.PreconditionFailed, await PutAsync(admin, $"accounts/{account}/quota", new JsonObject(), tag));
        var (_, name) = await LookAsync(admin, "names/demo");
        Assert.Equal(HttpStatusCode.PreconditionFailed, await PutAsync(admin, "names/demo", new JsonObject { ["account"] = account }, tag));
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(admin, "names/demo", new JsonObject { ["account"] = account }, name));
        Assert.Null((await LookAsync(admin, "names/demo")).Body["expires"]);
    }

    [Fact]
    public async Task NameThatIsTakenDown_TellsVisitorsWhy_AndIsGivenToNobody_UntilItIsTakenBack()
    {
        var (host, client, admin, _) = await PublishAsync();
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello", await visitor.GetStringAsync("hello", TestTimeout));
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync(admin, "takedowns/demo", new JsonObject { ["reason"] = "" }));
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync(admin, "takedowns/-", new JsonObject { ["reason"] = "x" }));
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(admin, "takedowns/demo", new JsonObject { ["reason"] = "it asked for passwords" }));
        // The client is refused when it comes back for the name, which ends it.
        await Assert.ThrowsAsync<TunnelException>(() => client.Completion.WaitAsync(TestTimeout));
        using var gone = await visitor.GetAsync("hello", TestTimeout);
        Assert.Equal(HttpStatusCode.Gone, gone.StatusCode);
        Assert.Contains("it asked for passwords", await gone.Content.ReadAsStringAsync(TestTimeout), StringComparison.Ordinal);
        using var back = await admin.DeleteAsync("takedowns/demo", TestTimeout);
        Assert.Equal(HttpStatusCode.NoContent, back.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(visitor, TestTimeout));
        using var twice = await admin.DeleteAsync("takedowns/demo", TestTimeout);
        Assert.Equal(HttpStatusCode.NotFound, twice.StatusCode);
    }

    [Fact]
    public async Task AccountThatIsClosed_LosesItsConnections_AndItsTokens_UntilItIsOpenedAgain()
    {
        var (_, client, admin, account) = await PublishAsync();
        Assert.Equal(HttpStatusCode.NoContent, await PutAsync(admin, $"accounts/{account}/disabled", new JsonObject()));
        Assert.Equal("UNAUTHORIZED", (await Assert.ThrowsAsync<TunnelException>(() => client.Completion.WaitAsync(TestTimeout))).Code);
        Assert.True((bool)(await LookAsync(admin, $"accounts/{account}")).Body["disabled"]!);
        using var opened = await admin.DeleteAsync($"accounts/{account}/disabled", TestTimeout);
        Assert.Equal(HttpStatusCode.NoContent, opened.StatusCode);
        Assert.False((bool)(await LookAsync(admin, $"accounts/{account}")).Body["disabled"]!);
    }

    [Fact]
    public async Task Events_AreToldAsTheyHappen_AndFromWhereAReaderLeftOff()
    {
        var (host, client, admin, _) = await PublishAsync();
        await using var stream = await admin.GetStreamAsync("events", TestTimeout);
        using var reader = new StreamReader(stream);
        Assert.Equal(": events", await reader.ReadLineAsync(TestTimeout));
        await client.DisposeAsync();
        var closed = await EventAsync(reader);
        Assert.Equal("event: tunnel_closed", closed[1]);
        Assert.Contains("\"subject\":\"demo\"", closed[2], StringComparison.Ordinal);
        using var later = new HttpRequestMessage(HttpMethod.Get, "events");
        later.Headers.TryAddWithoutValidation("Last-Event-ID", "0");
        using var answer = await admin.SendAsync(later, HttpCompletionOption.ResponseHeadersRead, TestTimeout);
        using var past = new StreamReader(await answer.Content.ReadAsStreamAsync(TestTimeout));
        Assert.Equal(["event: tunnel_opened", "event: tunnel_closed"], [(await EventAsync(past))[1], (await EventAsync(past))[1]]);
        // A server that stops does not wait for its readers.
        await host.Server.StopAsync(TestTimeout);
        while (await past.ReadLineAsync(TestTimeout) is not null)
        {
        }

        async Task<string[]> EventAsync(StreamReader from)
        {
            while (true)
            {
                var line = await from.ReadLineAsync(TestTimeout);
                if (line!.StartsWith("id: ", StringComparison.Ordinal)) return [line, (await from.ReadLineAsync(TestTimeout))!, (await from.ReadLineAsync(TestTimeout))!];
            }
        }
    }
}
