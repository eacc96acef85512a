using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;
using Mooring.Kernel.Tls;
using Mooring.SocketIO.Tests.Client;
using Mooring.SocketIO.Tests.Peers;
using Mooring.SocketIO.Tests.Server;
using Mooring.Testing;

namespace Mooring.SocketIO.Tests;

/// <summary>Our client and our server: mutual TLS, and networks that break all the time.</summary>
public sealed class BothEndsTests : MooringTest
{
    private static readonly BackoffPolicy Soon = new() { First = TimeSpan.FromMilliseconds(5), Minimum = TimeSpan.FromMilliseconds(1), Cap = TimeSpan.FromMilliseconds(20) };

    public static TheoryData<SocketIOTransports, bool> Ways => new()
    {
        { SocketIOTransports.Polling, false },
        { SocketIOTransports.WebSocket, false },
        { SocketIOTransports.Both, true },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task MutualTls_ShowsTheClientsCertificateOverEveryTransport(SocketIOTransports transports, bool pollingFirst)
    {
        using var authority = NewAuthority();
        var server = await StartTlsAsync(authority);
        var tls = PemFiles.Load(authority.Client("agent-7"), TimeProvider.System.GetUtcNow());
        var client = Own(RunningClient.Start(Options(server.Address, transports, pollingFirst) with { Tls = () => tls }, LoggerFactory));
        await client.UpAsync(TestTimeout);
        using (var shown = Assert.Single(server.Root.Sockets).Handshake.ReadClientCertificate()) Assert.Equal("CN=agent-7", shown?.Subject);
    }

    [Theory]
    [InlineData("polling")]
    [InlineData("websocket")]
    [InlineData("polling,websocket")]
    public async Task MutualTls_WorksWithForeignClients(string transports)
    {
        using var authority = NewAuthority();
        var server = await StartTlsAsync(authority);
        var files = authority.Client("agent-8");
        await using var client = RemoteControlled.Client(
            new Uri($"https://localhost:{server.Address.Port}"),
            new JsonObject { ["transports"] = new JsonArray([.. transports.Split(',').Select(t => JsonValue.Create(t))]) },
            new JsonObject { ["cert"] = files.Certificate, ["key"] = files.Key, ["ca"] = files.Authorities });
        await client.HeardAsync(TestTimeout, "\"on\":\"connect\"");
        using (var shown = Assert.Single(server.Root.Sockets).Handshake.ReadClientCertificate()) Assert.Equal("CN=agent-8", shown?.Subject);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task MutualTls_WorksWithForeignServers(SocketIOTransports transports, bool pollingFirst)
    {
        using var authority = NewAuthority();
        var files = authority.Server();
        var server = Own(RemoteControlled.Server(
            tls: new JsonObject { ["cert"] = files.Certificate, ["key"] = files.Key, ["ca"] = files.Authorities }));
        var port = (await server.HeardAsync(TestTimeout, "\"on\":\"listening\"")).GetProperty("port").GetInt32();
        var tls = PemFiles.Load(authority.Client("agent-9"), TimeProvider.System.GetUtcNow());
        var client = Own(RunningClient.Start(
            Options(new Uri($"https://localhost:{port}"), transports, pollingFirst) with { Tls = () => tls }, LoggerFactory));
        await client.UpAsync(TestTimeout);
        await server.HeardAsync(TestTimeout, "\"on\":\"connect\"", "\"subject\":\"agent-9\"");
    }

    [Fact]
    public async Task ServerOfAnotherAuthority_IsNotTalkedTo()
    {
        using var authority = NewAuthority();
        using var other = NewAuthority();
        var server = await StartTlsAsync(authority);
        var tls = PemFiles.Load(other.Client("agent-7"), TimeProvider.System.GetUtcNow());
        var client = Own(RunningClient.Start(Options(server.Address, SocketIOTransports.Both, false) with { Tls = () => tls }, LoggerFactory));
        Assert.Contains("TLS", await client.MovedAsync(LinkState.Waiting, TestTimeout), StringComparison.Ordinal);
        Assert.Equal(0, server.Server.ConnectionCount);
    }

    [Theory]
    [InlineData("127.0.0.1", -500, "NotTimeValid")]
    [InlineData("127.0.0.2", 0, "RemoteCertificateNameMismatch")]
    public async Task ServerWhoseCertificateIsExpired_OrOfAnotherName_IsNotTalkedTo_AndTriedAgain(string host, int issuedDays, string reason)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var authority = DevelopmentAuthority.LoadOrCreate(Directory.CreateTempSubdirectory("mooring-socketio").FullName, new TestClock(now.AddDays(issuedDays)));
        var files = authority.Server();
        using var certificate = X509Certificate2.CreateFromPemFile(files.Certificate!, files.Key);
        using var served = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
        var requests = 0;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Parse(host), 0, endpoint => endpoint.UseHttps(served)));
        var server = Own(builder.Build());
        server.Run(_ =>
        {
            requests++;
            return Task.CompletedTask;
        });
        await server.StartAsync(TestTimeout);
        var tls = PemFiles.Load(new TlsFiles { Authorities = authority.AuthorityPath }, now);
        var client = Own(RunningClient.Start(Options(new Uri(server.Urls.Single()), SocketIOTransports.Both, false) with { Tls = () => tls }, LoggerFactory));
        Assert.Contains(reason, await client.MovedAsync(LinkState.Waiting, TestTimeout, 2), StringComparison.Ordinal);
        Assert.Equal(0, requests);
    }

    [Fact]
    public async Task SessionOfAnotherCertificate_CannotBeUsed()
    {
        using var authority = NewAuthority();
        var server = await StartTlsAsync(authority);
        using var owner = NewHttp(authority, "owner");
        using var thief = NewHttp(authority, "thief");
        var sid = await RawClient.OpenAsync(owner, server, TestTimeout);
        using var stolen = await RawClient.PostAsync(thief, server, sid, "40", TestTimeout);
        Assert.Equal(HttpStatusCode.Forbidden, stolen.StatusCode);
        using var own = await RawClient.PostAsync(owner, server, sid, "40", TestTimeout);
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
    }

    [Fact]
    public async Task AnswerThatIsTooLarge_MayBeFollowedByAShorterOne_AndByNoThird()
    {
        var third = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var server = Own(await ServerUnderTest.StartAsync(Log, new SocketIOServerOptions { Limits = new SocketIOLimits { PayloadBytesMax = 20_000 } }));
        var client = Own(RunningClient.Start(Options(server.Address, SocketIOTransports.Both, false), LoggerFactory, c => c.Root.On("ask", async (_, asked) =>
        {
            var error = await Assert.ThrowsAsync<SocketIOCallException>(async () => await asked.AckAsync(new SocketIOArguments().Add(new string('x', 30_000)), TestTimeout));
            await asked.AckAsync(new SocketIOArguments().Add(error.Error.ToString()), TestTimeout);
            third.SetResult(await Record.ExceptionAsync(async () => await asked.AckAsync(new SocketIOArguments().Add("again"), TestTimeout)));
        })));
        await client.UpAsync(TestTimeout);
        await Eventually.TrueAsync(() => server.Root.Sockets.Count == 1, "the client", TestTimeout);
        var reply = await server.Root.Sockets.Single().CallAsync("ask", new SocketIOArguments(), TimeLimit, TestTimeout);
        Assert.Equal(nameof(SocketIOCallError.TooLarge), reply.GetString(0));
        Assert.IsType<InvalidOperationException>(await third.Task.WaitAsync(TestTimeout));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task NetworkThatBreaksAllTheTime_IsComeBackFromEachTime(SocketIOTransports transports, bool pollingFirst)
    {
        const int Breaks = 60;
        var server = Own(await ServerUnderTest.StartAsync(
            Log, setUp: s => s.Root.On("echo", (_, e) => e.AckAsync(new SocketIOArguments().AddJson(e.GetJson(0))))));
        await using var relay = new Relay(server.Address.Port, new Random(7));
        var client = Own(RunningClient.Start(Options(new Uri($"http://127.0.0.1:{relay.Port}"), transports, pollingFirst), LoggerFactory));
        long answered = 0;
        for (var n = 0L; relay.Broken < Breaks; n++)
        {
            try
            {
                var reply = await client.Root.CallAsync("echo", new SocketIOArguments().Add(n), TimeLimit, TestTimeout);
                Assert.Equal(n, reply.GetInt64(0));
                answered++;
            }
            catch (SocketIOCallException e) when (e.Error is SocketIOCallError.NotConnected or SocketIOCallError.ConnectionLost)
            {
                // A call without connection fails at once: the others get the processor meanwhile.
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestTimeout);
            }
        }
        relay.Heal();
        while (true)
        {
            try
            {
                await client.Root.CallAsync("echo", new SocketIOArguments().Add(1), TimeLimit, TestTimeout);
                break;
            }
            catch (SocketIOCallException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestTimeout);
            }
        }
        Assert.True(answered > 0);
        await client.StopAsync();
        // Every session of a broken connection is found out about; those that polled only when nobody has asked for their packets for a while.
        if (transports == SocketIOTransports.WebSocket) await Log.WhenAsync(_ => server.Server.ConnectionCount == 0, TestTimeout);
    }

    [Fact]
    public async Task BytesThatGoWrong_EndTheConnectionOnly()
    {
        var server = Own(await ServerUnderTest.StartAsync(
            Log, setUp: s => s.Root.On("echo", (_, e) => e.AckAsync(new SocketIOArguments().AddJson(e.GetJson(0))))));
        await using var relay = new Relay(server.Address.Port, new Random(11)) { Corrupts = true };
        var client = Own(RunningClient.Start(
            Options(new Uri($"http://127.0.0.1:{relay.Port}"), SocketIOTransports.WebSocket, false) with { ConnectTimeout = TimeSpan.FromMilliseconds(500) }, LoggerFactory));
        while (relay.Broken < 40)
        {
            try
            {
                await client.Root.CallAsync("echo", new SocketIOArguments().Add("some text to be damaged"), TimeSpan.FromMilliseconds(200), TestTimeout);
            }
            catch (SocketIOCallException e) when (e.Error != SocketIOCallError.TooManyCalls)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, TestTimeout);
            }
        }
        relay.Heal();
        using var healthy = await RawClient.WebSocketAsync(server, TestTimeout);
        await healthy.JoinAsync(TestTimeout);
    }

    private static SocketIOClientOptions Options(Uri address, SocketIOTransports transports, bool pollingFirst) =>
        new() { Address = address, Transports = transports, PollingFirst = pollingFirst, Backoff = Soon };

    private static DevelopmentAuthority NewAuthority() =>
        DevelopmentAuthority.LoadOrCreate(Directory.CreateTempSubdirectory("mooring-socketio").FullName, TimeProvider.System);

    private static HttpClient NewHttp(DevelopmentAuthority authority, string name)
    {
        var tls = PemFiles.Load(authority.Client(name), TimeProvider.System.GetUtcNow());
        return new HttpClient(new SocketsHttpHandler { SslOptions = tls.ClientOptions("localhost") });
    }

    private async Task<ServerUnderTest> StartTlsAsync(DevelopmentAuthority authority)
    {
        var material = PemFiles.Load(authority.Server(), TimeProvider.System.GetUtcNow());
        return Own(await ServerUnderTest.StartAsync(Log, listen: endpoint => endpoint.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => new ValueTask<System.Net.Security.SslServerAuthenticationOptions>(material.ServerOptions(ClientCertificates.Required)),
        })));
    }

    /// <summary>A relay on the way that breaks every connection after some bytes.</summary>
    private sealed class Relay : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Random _random;
        private readonly int _target;
        private readonly CancellationTokenSource _stopping = new();
        private readonly Task _accepting;
        private volatile bool _healed;
        private int _broken;

        public Relay(int target, Random random)
        {
            (_target, _random) = (target, random);
            _listener.Start();
            _accepting = AcceptAsync();
        }

        public bool Corrupts { get; init; }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Broken => Volatile.Read(ref _broken);

        public void Heal() => _healed = true;

        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            _listener.Stop();
            await _accepting;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var near = await _listener.AcceptTcpClientAsync(_stopping.Token);
                    long budget;
                    lock (_random) budget = _random.Next(200, 4_000);
                    _ = CarryAsync(near, budget);
                }
            }
            catch (OperationCanceledException)
            {
                // The test is over.
            }
        }

        private async Task CarryAsync(TcpClient near, long budget)
        {
            using var _ = near;
            using var far = new TcpClient();
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
                await Task.WhenAny(CopyAsync(near, far, budget), CopyAsync(far, near, budget));
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // One of the ends has gone first.
            }
        }

        private async Task CopyAsync(TcpClient from, TcpClient to, long budget)
        {
            var buffer = new byte[512];
            try
            {
                while (await from.GetStream().ReadAsync(buffer, _stopping.Token) is var count and > 0)
                {
                    budget -= count;
                    if (budget < 0 && !_healed)
                    {
                        Interlocked.Increment(ref _broken);
                        if (!Corrupts) return;
                        lock (_random) buffer[_random.Next(count)] ^= (byte)_random.Next(1, 256);
                        budget = 300;
                    }
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _stopping.Token);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                // One of the ends has gone first.
            }
        }
    }
}
