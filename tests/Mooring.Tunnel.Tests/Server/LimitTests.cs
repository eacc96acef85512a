using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Ingress;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>What one address, one connection and one tunnel may do. This machine's own 127.0.0.1 is not counted; 127.0.0.2 stands for anybody else.</summary>
public sealed class LimitTests : MooringTest
{
    private static readonly IPEndPoint s_stranger = new(IPAddress.Parse("127.0.0.2"), 0);

    private readonly TestClock _clock = new();

    private Task<TunnelHost> StartAsync(TunnelServerLimits limits, TimeProvider? time = null) =>
        TunnelHost.StartAsync(LoggerFactory, options => options with { Limits = limits }, time: time);

    /// <summary>An HTTP client of the API, from another address than this machine's usual one.</summary>
    private static HttpClient Stranger(TunnelHost host) => new(FromElsewhere(host)) { BaseAddress = new Uri($"http://{host.Control}/") };

    private static SocketsHttpHandler FromElsewhere(TunnelHost host) => new()
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(s_stranger);
            await socket.ConnectAsync(host.Control, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    private async Task<(HttpStatusCode Status, TimeSpan? Wait)> PostAsync(HttpClient client, string path, JsonObject body)
    {
        using var answer = await client.PostAsJsonAsync(path, body, TestTimeout);
        return (answer.StatusCode, answer.Headers.RetryAfter?.Delta);
    }

    private static JsonObject Registration() => new() { ["email"] = $"{Guid.NewGuid():N}@example.org" };

    [Fact]
    public async Task Registrations_AreFiveAnHourFromOneAddress_AndTheSixthIsToldWhen()
    {
        var host = Own(await StartAsync(new TunnelServerLimits(), _clock));
        using var stranger = Stranger(host);
        for (var i = 0; i < 5; i++) Assert.Equal(HttpStatusCode.OK, (await PostAsync(stranger, "api/v1/auth/register", Registration())).Status);
        Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromHours(1)), await PostAsync(stranger, "api/v1/auth/register", Registration()));
        using var own = new HttpClient { BaseAddress = stranger.BaseAddress };
        for (var i = 0; i < 6; i++) Assert.Equal(HttpStatusCode.OK, (await PostAsync(own, "api/v1/auth/register", Registration())).Status);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(stranger, "api/v1/auth/register", Registration())).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no-at-sign")]
    [InlineData("@example.org")]
    [InlineData("a b@example.org")]
    [InlineData("a@example.org\r\nX: 1")]
    [InlineData("<a@example.org>")]
    public async Task RegistrationWithoutAnAddress_IsRefused(string email)
    {
        var host = Own(await StartAsync(new TunnelServerLimits()));
        using var client = new HttpClient { BaseAddress = new Uri($"http://{host.Control}/") };
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(client, "api/v1/auth/register", new JsonObject { ["email"] = email })).Status);
    }

    [Fact]
    public async Task RegistrationThatIsClosed_SaysWhoMakesAccounts()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { AllowsRegistration = false }));
        using var client = new HttpClient { BaseAddress = new Uri($"http://{host.Control}/") };
        using var answer = await client.PostAsJsonAsync("api/v1/auth/register", Registration(), TestTimeout);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("operator", await answer.Content.ReadAsStringAsync(TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongTokens_KeepAnAddressOut_ForAMinute_EvenWithARightOne()
    {
        var limits = new TunnelServerLimits { FailuresPerMinute = 3 };
        var host = Own(await StartAsync(limits, _clock));
        var token = await host.TokenAsync();
        using var stranger = Stranger(host);
        async Task<HttpStatusCode> MeAsync(string with)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/users/me");
            request.Headers.Authorization = new("Bearer", with);
            using var answer = await stranger.SendAsync(request, TestTimeout);
            return answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await MeAsync(token));
        for (var i = 0; i < limits.FailuresPerMinute; i++) Assert.Equal(HttpStatusCode.Unauthorized, await MeAsync("wrong"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await MeAsync(token));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, await MeAsync(token));
    }

    [Fact]
    public async Task AttemptsToConnect_HaveABound_ThatTimeLifts()
    {
        var limits = new TunnelServerLimits { HandshakesPerMinute = 3 };
        var host = Own(await StartAsync(limits, _clock));
        using var stranger = new HttpMessageInvoker(FromElsewhere(host));
        async Task<HttpStatusCode> DialAsync()
        {
            using var socket = new ClientWebSocket();
            socket.Options.CollectHttpResponseDetails = true;
            try
            {
                await socket.ConnectAsync(new Uri($"ws://{host.Control}/api/v1/ws/tunnel"), stranger, TestTimeout);
            }
            catch (WebSocketException)
            {
                // Its status is looked at.
            }
            return socket.HttpStatusCode;
        }

        for (var i = 0; i < limits.HandshakesPerMinute; i++) Assert.Equal(HttpStatusCode.SwitchingProtocols, await DialAsync());
        Assert.Equal(HttpStatusCode.TooManyRequests, await DialAsync());
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.SwitchingProtocols, await DialAsync());
    }

    [Fact]
    public async Task WrongTokensOfOneAddress_AreLoggedByPowersOfTwo()
    {
        var host = Own(await StartAsync(new TunnelServerLimits(), _clock));
        using var stranger = new HttpMessageInvoker(FromElsewhere(host));
        for (var i = 0; i < 9; i++)
        {
            using var socket = new ClientWebSocket();
            await socket.ConnectAsync(new Uri($"ws://{host.Control}/api/v1/ws/tunnel"), stranger, TestTimeout);
            await socket.SendAsync(Protocol.Vectors.GenerationB["Auth"], WebSocketMessageType.Binary, endOfMessage: true, TestTimeout);
            Assert.Equal(WebSocketMessageType.Binary, (await socket.ReceiveAsync(new byte[1000].AsMemory(), TestTimeout)).MessageType);
        }
        var lines = Log.Entries.Where(entry => entry.Event.Id == 6003).ToArray();
        Assert.Equal(4, lines.Length);
        Assert.Contains("8 in this minute", lines[3].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestWithTooManyFields_IsRefusedWith431()
    {
        var host = Own(await StartAsync(new TunnelServerLimits()));
        using var visitor = host.Visitor("demo");
        for (var i = 0; i < 101; i++) visitor.DefaultRequestHeaders.Add($"X-{i}", "1");
        using var answer = await visitor.GetAsync("", TestTimeout);
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task VisitorsOfATcpTunnel_AreBounded_AtATimeAndInASecond()
    {
        var gate = new ConnectionGate(concurrentMax: 2, perSecond: 3, _clock);
        Assert.Equal([true, true, false], [gate.TryEnter(), gate.TryEnter(), gate.TryEnter()]);
        gate.Leave();
        Assert.Equal([true, false], [gate.TryEnter(), gate.TryEnter()]);
        gate.Leave();
        // Three came in this second.
        Assert.False(gate.TryEnter());
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(gate.TryEnter());

        await using var origin = new RawOrigin(async stream => await stream.CopyToAsync(stream));
        var host = Own(await StartAsync(new TunnelServerLimits { TcpConnectionsMax = 1 }));
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Protocol = TunnelProtocol.Tcp }] },
            LoggerFactory, cancellationToken: TestTimeout);
        using var first = new TcpClient();
        await first.ConnectAsync(IPAddress.Loopback, client.Tunnels[0].RemotePort!.Value, TestTimeout);
        await first.GetStream().WriteAsync("x"u8.ToArray(), TestTimeout);
        await first.GetStream().ReadExactlyAsync(new byte[1], TestTimeout);
        using var second = new TcpClient();
        await second.ConnectAsync(IPAddress.Loopback, client.Tunnels[0].RemotePort!.Value, TestTimeout);
        Assert.Equal(0, await second.GetStream().ReadAsync(new byte[1], TestTimeout));
    }

    [Fact]
    public async Task PortOfAnAccount_IsTheSameNextTime_AlsoAfterARestart_AndNobodyElsesByChance()
    {
        var folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;
        async Task<int> PublishAsync(TunnelHost host, string token, int? wanted = null)
        {
            await using var client = await TunnelClient.ConnectAsync(
                new TunnelClientOptions { Server = host.Address, Token = token, Tunnels = [new TunnelDefinition { LocalPort = 1, Protocol = TunnelProtocol.Tcp, RemotePort = wanted }] },
                LoggerFactory, cancellationToken: TestTimeout);
            var port = client.Tunnels[0].RemotePort!.Value;
            await client.DisposeAsync();
            await Eventually.TrueAsync(() => host.Server.Directory.Count == 0, "the port is free", TestTimeout);
            return port;
        }

        string ann, bob;
        int port;
        await using (var first = await TunnelHost.StartAsync(LoggerFactory, folder: folder))
        {
            (ann, bob) = (await first.TokenAsync(), await first.TokenAsync());
            port = await PublishAsync(first, ann);
            Assert.NotEqual(port, await PublishAsync(first, bob));
        }
        await using (var second = await TunnelHost.StartAsync(LoggerFactory, folder: folder))
        {
            Assert.Equal(port, await PublishAsync(second, ann));
            var refused = await Assert.ThrowsAsync<TunnelException>(() => PublishAsync(second, bob, port));
            Assert.Equal("TUNNEL_CREATE_FAILED", refused.Code);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task AccessLog_HasALineForEachRequest_WithoutItsQuery()
    {
        var folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;
        var file = Path.Combine(folder, "access.log");
        var origin = Own(await WebOrigin.StartAsync());
        await using (var host = await TunnelHost.StartAsync(LoggerFactory, options => options with { AccessLog = file }))
        {
            await using var client = await TunnelClient.ConnectAsync(
                new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }] },
                LoggerFactory, cancellationToken: TestTimeout);
            using var visitor = host.Visitor("demo");
            using var posted = await visitor.PostAsync("digest?secret=1", new ByteArrayContent(new byte[1000]), TestTimeout);
            using var missing = host.Visitor("nobody");
            using var lost = await missing.GetAsync("", TestTimeout);
        }
        var lines = (await File.ReadAllLinesAsync(file, TestTimeout)).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(["demo POST /digest 200 1000 64", " GET / 404 0 0"], lines.Select(line => $"{line["tunnel"]} {line["method"]} {line["path"]} {line["status"]} {line["bytes_in"]} {line["bytes_out"]}"));
        Assert.All(lines, line => Assert.Matches("^req-[a-z2-9]{16}$", (string)line["id"]!));
        Assert.All(lines, line => Assert.Equal("127.0.0.1", (string)line["visitor"]!));
        Assert.DoesNotContain("secret", await File.ReadAllTextAsync(file, TestTimeout), StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task TokenForTheApiAlone_DoesNotConnect_AndOneForConnectingDoesNothingElse()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var account = (await host.Server.Accounts.AuthenticateAsync(await host.TokenAsync(), TestTimeout))!.Id;
        var api = (await host.Server.Accounts.AddTokenAsync(account, TokenScopes.Api, "api", TestTimeout))!;
        var connect = (await host.Server.Accounts.AddTokenAsync(account, TokenScopes.Connect, "connect", TestTimeout))!;
        var options = new TunnelClientOptions { Server = host.Address, Tunnels = [new TunnelDefinition { LocalPort = 1 }] };
        var refused = await Assert.ThrowsAsync<TunnelException>(() => TunnelClient.ConnectAsync(options with { Token = api }, LoggerFactory, cancellationToken: TestTimeout));
        Assert.Equal("UNAUTHORIZED", refused.Code);
        await (await TunnelClient.ConnectAsync(options with { Token = connect }, LoggerFactory, cancellationToken: TestTimeout)).DisposeAsync();
        using var client = new TunnelApi(host.Address);
        Assert.Equal(403, (await Assert.ThrowsAsync<TunnelApiException>(() => client.RotateAsync(connect, TestTimeout))).Status);
        Assert.NotEqual(api, await client.RotateAsync(api, TestTimeout));
    }

    [Fact]
    public async Task Tokens_AreNowhereInTheLog_OfEitherEnd_InEitherGeneration()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var (token, wrong) = (await host.TokenAsync(), TokenText.Create());
        foreach (var wire in new[] { TunnelWire.A, TunnelWire.B })
        {
            var options = new TunnelClientOptions { Server = host.Address, Token = token, Wire = wire, Tunnels = [new TunnelDefinition { LocalPort = 1, Auth = "ann:opensesame" }] };
            await (await TunnelClient.ConnectAsync(options, LoggerFactory, cancellationToken: TestTimeout)).DisposeAsync();
            var refused = await Assert.ThrowsAsync<TunnelException>(() => TunnelClient.ConnectAsync(options with { Token = wrong }, LoggerFactory, cancellationToken: TestTimeout));
            Assert.DoesNotContain(wrong, refused.ToString(), StringComparison.Ordinal);
        }
        Assert.Contains(Log.Entries, entry => entry.Event.Id == 6003);
        Assert.All([token, wrong, "opensesame"], secret => Assert.DoesNotContain(Log.Entries, entry => $"{entry.Message} {entry.Exception}".Contains(secret, StringComparison.Ordinal)));
    }
}
