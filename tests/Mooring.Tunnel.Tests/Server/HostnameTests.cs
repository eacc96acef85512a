using System.Net;
using System.Text.Json.Nodes;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>Host names that accounts bring, from the challenge to the visitor, with a name server of the test's.</summary>
public sealed class HostnameTests : MooringTest
{
    private const string Name = "app.example.net";
    private const string Challenge = "_retunnel-challenge." + Name;

    private readonly ScriptedDns _dns = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _dns.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task<TunnelHost> StartAsync() => Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { NameServer = _dns.EndPoint, BaseDomain = "tunnel.example.org" }));

    private async Task<TunnelClient> PublishAsync(TunnelHost host, string token, int port) => Own(await TunnelClient.ConnectAsync(
        new TunnelClientOptions { Server = host.Address, Token = token, Tunnels = [new TunnelDefinition { LocalPort = port, Hostname = Name }] }, LoggerFactory, cancellationToken: TestTimeout));

    private async Task<HttpResponseMessage> VisitAsync(TunnelHost host)
    {
        using var visitor = host.Visitor("any");
        using var request = new HttpRequestMessage(HttpMethod.Get, "hello");
        request.Headers.Host = Name;
        return await visitor.SendAsync(request, TestTimeout);
    }

    private static string Text(JsonObject state, string key) => (string?)state[key] ?? "";

    [Fact]
    public async Task NameThatIsProven_IsPublished_AndItsVisitorsComeThrough_UntilItIsRemoved()
    {
        var host = await StartAsync();
        var origin = Own(await WebOrigin.StartAsync());
        using var api = new TunnelApi(host.Address);
        var token = await host.TokenAsync();
        var added = await api.AddHostnameAsync(token, "App.Example.NET.", TestTimeout);
        Assert.Equal((Name, false, Challenge, "tunnel.example.org"), ((string)added["hostname"]!, (bool)added["verified"]!, (string)added["dns"]!["txt"]!["name"]!, (string)added["dns"]!["cname"]!["value"]!));
        Assert.Equal("HOSTNAME_NOT_VERIFIED", (await Assert.ThrowsAsync<TunnelException>(() => PublishAsync(host, token, origin.Port))).Code);

        Assert.Contains("there is no TXT record", Text(await api.VerifyHostnameAsync(token, Name, TestTimeout), "verification_error"), StringComparison.Ordinal);
        _dns.Texts[Challenge] = "something else";
        Assert.Contains("another value", Text(await api.VerifyHostnameAsync(token, Name, TestTimeout), "verification_error"), StringComparison.Ordinal);
        _dns.Texts[Challenge] = (string)added["dns"]!["txt"]!["value"]!;
        _dns.Aliases[Name] = "Tunnel.example.org";
        var proven = await api.VerifyHostnameAsync(token, Name, TestTimeout);
        Assert.Equal((true, true, ""), ((bool)proven["verified"]!, (bool)proven["dns_points_at_retunnel"]!, Text(proven, "verification_error")));
        // Proven is proven: the record may go.
        _dns.Texts.Clear();
        Assert.True((bool)(await api.VerifyHostnameAsync(token, Name, TestTimeout))["verified"]!);
        Assert.Equal(Name, (string)(await api.ListHostnamesAsync(token, TestTimeout))["hostnames"]!.AsArray().Single()!["hostname"]!);

        var client = await PublishAsync(host, token, origin.Port);
        Assert.Equal($"http://{Name}:{host.Server.Http.Port}", client.Tunnels[0].Url);
        using (var answer = await VisitAsync(host)) Assert.Equal("hello", await answer.Content.ReadAsStringAsync(TestTimeout));
        await api.RemoveHostnameAsync(token, Name, TestTimeout);
        // What is removed is not served any longer, and the client is told why when it comes back.
        Assert.Equal("HOSTNAME_NOT_REGISTERED", (await Assert.ThrowsAsync<TunnelException>(() => client.Completion.WaitAsync(TestTimeout))).Code);
        using (var answer = await VisitAsync(host)) Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task NameOfAnotherAccount_IsNeitherAddedNorPublishedNorRemoved()
    {
        var host = await StartAsync();
        using var api = new TunnelApi(host.Address);
        var (ann, bob) = (await host.TokenAsync(), await host.TokenAsync());
        // Nobody keeps a name from its owner by being there first: it is not anybody's before it is proven.
        await api.AddHostnameAsync(bob, Name, TestTimeout);
        var added = await api.AddHostnameAsync(ann, Name, TestTimeout);
        Assert.Equal(404, (await Assert.ThrowsAsync<TunnelApiException>(() => api.VerifyHostnameAsync(bob, Name, TestTimeout))).Status);
        _dns.Texts[Challenge] = (string)added["dns"]!["txt"]!["value"]!;
        Assert.True((bool)(await api.VerifyHostnameAsync(ann, Name, TestTimeout))["verified"]!);
        Assert.Equal(added["dns"]!.ToJsonString(), (await api.AddHostnameAsync(ann, Name, TestTimeout))["dns"]!.ToJsonString());
        Assert.Equal(409, (await Assert.ThrowsAsync<TunnelApiException>(() => api.AddHostnameAsync(bob, Name, TestTimeout))).Status);
        Assert.Equal(404, (await Assert.ThrowsAsync<TunnelApiException>(() => api.VerifyHostnameAsync(bob, Name, TestTimeout))).Status);
        Assert.Equal(404, (await Assert.ThrowsAsync<TunnelApiException>(() => api.RemoveHostnameAsync(bob, Name, TestTimeout))).Status);
        Assert.Equal("HOSTNAME_TAKEN", (await Assert.ThrowsAsync<TunnelException>(() => PublishAsync(host, bob, 1))).Code);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("192.0.2.1")]
    [InlineData("a..b")]
    [InlineData("-a.example.net")]
    [InlineData("a_b.example.net")]
    [InlineData("app.example.net:80")]
    [InlineData("räksmörgås.example.net")]
    [InlineData("app.example.123")]
    [InlineData("tunnel.example.org")]
    [InlineData("stolen.tunnel.example.org")]
    public async Task NameThatCannotBeOnesOwn_IsRefused(string name)
    {
        var host = await StartAsync();
        using var api = new TunnelApi(host.Address);
        Assert.Equal(400, (await Assert.ThrowsAsync<TunnelApiException>(async () => await api.AddHostnameAsync(await host.TokenAsync(), name, TestTimeout))).Status);
    }

    [Fact]
    public async Task BrokenAnswersOfTheNameServer_ProveNothing_AndBreakNothing()
    {
        var host = await StartAsync();
        using var api = new TunnelApi(host.Address);
        var token = await host.TokenAsync();
        var added = await api.AddHostnameAsync(token, Name, TestTimeout);
        _dns.Texts[Challenge] = "x" + (string)added["dns"]!["txt"]!["value"]!;
        _dns.Aliases[Name] = "other.example.org";
        var random = new Random(20261121);
        for (var i = 0; i < 300; i++)
        {
            var mode = i % 4;
            _dns.Spoil = answer =>
            {
                byte[] spoilt = [.. answer];
                // Cut short; lengths that lie; a pointer to itself at the end; anything.
                if (mode == 0) return spoilt[..random.Next(12, spoilt.Length)];
                if (mode == 1) spoilt[^random.Next(1, Math.Min(20, spoilt.Length))] = 0xFF;
                if (mode == 2) (spoilt[^2], spoilt[^1]) = ((byte)(0xC0 | ((spoilt.Length - 2) >> 8)), (byte)(spoilt.Length - 2));
                if (mode == 3) for (var n = 0; n < 4; n++) spoilt[random.Next(4, spoilt.Length)] = (byte)random.Next(256);
                return spoilt;
            };
            var state = await api.VerifyHostnameAsync(token, Name, TestTimeout);
            Assert.Equal((false, false), ((bool)state["verified"]!, (bool?)state["dns_points_at_retunnel"] ?? false));
        }
    }
}
