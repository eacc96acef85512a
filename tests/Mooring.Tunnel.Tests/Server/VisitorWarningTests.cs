using System.Net;
using Mooring.Kernel.Options;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>What protects visitors from tunnels that pretend: the page before, and the link to report.</summary>
public sealed class VisitorWarningTests : MooringTest
{
    private const string Operator = "operators-token";

    private async Task<TunnelHost> PublishAsync(string? token = null, string contact = "abuse@example.org", bool warns = true)
    {
        var origin = Own(await WebOrigin.StartAsync());
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { WarnsVisitors = warns, AbuseContact = contact, OperatorTokens = [Operator] }));
        Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = token ?? await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo", Auth = "u:p" }] },
            LoggerFactory, cancellationToken: TestTimeout));
        return host;
    }

    private async Task<(HttpResponseMessage Answer, string Text)> GetAsync(HttpClient visitor, string accept = "text/html,*/*", string? cookie = null, string? skip = null, string path = "hello")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        request.Headers.Authorization = new("Basic", Convert.ToBase64String("u:p"u8));
        if (cookie is not null) request.Headers.Add("Cookie", cookie);
        if (skip is not null) request.Headers.Add(skip, "1");
        var answer = await visitor.SendAsync(request, TestTimeout);
        return (answer, await answer.Content.ReadAsStringAsync(TestTimeout));
    }

    [Fact]
    public async Task BrowserSeesThePageOnce_AndThenTheApplication()
    {
        var host = await PublishAsync();
        using var visitor = host.Visitor("demo");
        var (page, text) = await GetAsync(visitor, path: "hello?next=%22%3E%3Cb%3E&x");
        Assert.Contains("is a tunnel", text, StringComparison.Ordinal);
        Assert.Contains("href=\"/hello?next=%22%3E%3Cb%3E&amp;x\"", text, StringComparison.Ordinal);
        Assert.Contains("href=\"mailto:abuse@example.org?subject=", text, StringComparison.Ordinal);
        Assert.Equal("DENY", page.Headers.GetValues("X-Frame-Options").Single());
        var cookie = page.Headers.GetValues("Set-Cookie").Single();
        Assert.Equal("hello", (await GetAsync(visitor, cookie: "a=b; " + cookie.Split(';')[0])).Text);
        Assert.Contains("is a tunnel", (await GetAsync(visitor, cookie: "xretunnel-visited=1")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LinkToTheApplication_LeadsToNoOtherHost()
    {
        var host = await PublishAsync();
        using var visitor = host.Visitor("demo");
        var (_, text) = await GetAsync(visitor, path: new Uri(visitor.BaseAddress!, "/.//elsewhere.example/x").AbsoluteUri);
        Assert.Contains("href=\"/.//elsewhere.example/x\"", text, StringComparison.Ordinal);
        Assert.Equal(visitor.BaseAddress!.Host, new Uri(visitor.BaseAddress, "/.//elsewhere.example/x").Host);
    }

    [Fact]
    public async Task Programs_AndThoseWhoSaySo_SeeTheApplicationAtOnce()
    {
        var host = await PublishAsync();
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello", (await GetAsync(visitor, accept: "*/*")).Text);
        Assert.Equal("hello", (await GetAsync(visitor, skip: "X-Retunnel-Skip-Warning")).Text);
        using var posted = await visitor.PostAsync("digest", new StringContent("x"), TestTimeout);
        Assert.Equal(HttpStatusCode.Unauthorized, posted.StatusCode);
    }

    [Theory]
    [InlineData(true, Operator)]
    [InlineData(false, null)]
    public async Task TunnelsOfOperators_AndServersThatDoNotWarn_ShowNoPage(bool warns, string? token)
    {
        var host = await PublishAsync(token, warns: warns);
        using var visitor = host.Visitor("demo");
        Assert.Equal("hello", (await GetAsync(visitor)).Text);
    }

    [Theory]
    [InlineData("abuse@example.org", "mailto:abuse@example.org?subject=Report%20of%20nobody.localhost")]
    [InlineData("https://example.org/report", "https://example.org/report?host=nobody.localhost")]
    [InlineData("https://example.org/report?kind=tunnel", "https://example.org/report?kind=tunnel&amp;host=nobody.localhost")]
    public async Task ErrorPage_SaysWhereToReport(string contact, string link)
    {
        var host = await PublishAsync(contact: contact);
        using var visitor = host.Visitor("nobody");
        Assert.Contains($"href=\"{link}", (await GetAsync(visitor)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("abuse@example.org", true)]
    [InlineData("https://example.org/report", true)]
    [InlineData("", false)]
    [InlineData("nobody", false)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData("a@", false)]
    [InlineData("@b", false)]
    [InlineData("a b@example.org", false)]
    public void Contact_IsAnAddressOrAPage(string contact, bool isAllowed)
    {
        var errors = new OptionsErrors();
        new TunnelServerOptions { AbuseContact = contact }.Validate(errors);
        Assert.Equal(isAllowed ? 0 : 1, errors.All.Count);
    }
}
