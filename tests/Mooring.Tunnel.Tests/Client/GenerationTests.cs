using System.Net;
using System.Security.Cryptography;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

public sealed class GenerationTests : MooringTest
{
    [Fact]
    public async Task ClientOfGenerationA_CarriesHttpAndTcp()
    {
        var origin = Own(await WebOrigin.StartAsync());
        await using var echo = new RawOrigin(async stream =>
        {
            var buffer = new byte[1000];
            while (await stream.ReadAsync(buffer) is var count and > 0) await stream.WriteAsync(buffer.AsMemory(0, count));
        });
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = host.Address, Token = await host.TokenAsync(), Wire = TunnelWire.A,
                Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }, new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = echo.Port }],
            },
            LoggerFactory, cancellationToken: TestTimeout);
        Assert.Equal("A", host.Server.Sessions.All.Single().Generation);
        using var visitor = host.Visitor("demo");
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => visitor.GetStringAsync("hello", TestTimeout)));
        Assert.All(answers, answer => Assert.Equal("hello", answer));
        var body = RandomNumberGenerator.GetBytes(1_000_000);
        using var posted = await visitor.PostAsync("digest", new ByteArrayContent(body), TestTimeout);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(body)), await posted.Content.ReadAsStringAsync(TestTimeout));
        using var empty = await visitor.GetAsync("empty", TestTimeout);
        Assert.Equal(HttpStatusCode.NoContent, empty.StatusCode);
        using var tcp = new System.Net.Sockets.TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, client.Tunnels[1].RemotePort!.Value, TestTimeout);
        await tcp.GetStream().WriteAsync("ping"u8.ToArray(), TestTimeout);
        var heard = new byte[4];
        await tcp.GetStream().ReadExactlyAsync(heard, TestTimeout);
        Assert.Equal("ping", Encoding.ASCII.GetString(heard));
    }

    [Theory]
    [InlineData(TunnelWire.A)]
    [InlineData(TunnelWire.B)]
    public async Task Item41_ApplicationThatIsDown_GivesTheVisitor502(TunnelWire wire)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = host.Address, Token = await host.TokenAsync(), Wire = wire, Tunnels = [new TunnelDefinition { LocalPort = FreePort.Next(), Subdomain = "demo" }],
            },
            LoggerFactory, cancellationToken: TestTimeout);
        using var visitor = host.Visitor("demo");
        using var answer = await visitor.GetAsync("hello", TestTimeout);
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
    }
}
