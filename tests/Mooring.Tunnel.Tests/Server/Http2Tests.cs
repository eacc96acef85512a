using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

public sealed class Http2Tests : MooringTest
{
    private static HttpClient Visitor(TunnelHost host) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(host.Server.Http, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://demo.localhost/"), DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    [Fact]
    public async Task VisitorWithPriorKnowledge_GetsHttp2_OnThePortOfHttp1()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }] },
            LoggerFactory, cancellationToken: TestTimeout);
        using var visitor = Visitor(host);
        using var answer = await visitor.GetAsync("hello", TestTimeout);
        Assert.Equal(HttpVersion.Version20, answer.Version);
        Assert.Equal("hello", await answer.Content.ReadAsStringAsync(TestTimeout));
        using var one = host.Visitor("demo");
        Assert.Equal("hello", await one.GetStringAsync("hello", TestTimeout));
        var many = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => visitor.GetByteArrayAsync("bytes/100000", TestTimeout)));
        Assert.All(many, bytes => Assert.Equal(100_000, bytes.Length));
    }

    [Fact]
    public async Task CallLikeGrpc_StreamsBothWays_AndEndsWithTrailers()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using var application = builder.Build();
        application.MapPost("/chat", async (HttpContext context) =>
        {
            Assert.Equal("trailers", context.Request.Headers.TE);
            context.Response.ContentType = "application/grpc";
            context.Response.DeclareTrailer("grpc-status");
            await context.Response.Body.FlushAsync();
            var buffer = new byte[100];
            while (await context.Request.Body.ReadAsync(buffer) is var count and > 0)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, count));
                await context.Response.Body.FlushAsync();
            }
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await application.StartAsync(TestTimeout);
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = host.Address, Token = await host.TokenAsync(),
                Tunnels = [new TunnelDefinition { LocalPort = new Uri(application.Urls.First()).Port, Subdomain = "demo" }],
            },
            LoggerFactory, cancellationToken: TestTimeout);
        using var visitor = Visitor(host);
        var talk = new TalkingContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat") { Content = talk, Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.TE.ParseAdd("trailers");
        using var answer = await visitor.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestTimeout);
        await using var heard = await answer.Content.ReadAsStreamAsync(TestTimeout);
        var mouth = await talk.Opened.Task.WaitAsync(TestTimeout);
        foreach (var word in new[] { "one", "two!", "three" })
        {
            await mouth.WriteAsync(Encoding.ASCII.GetBytes(word), TestTimeout);
            await mouth.FlushAsync(TestTimeout);
            var echo = new byte[word.Length];
            await heard.ReadExactlyAsync(echo, TestTimeout);
            Assert.Equal(word, Encoding.ASCII.GetString(echo));
        }
        talk.Finish();
        Assert.Equal(0, await heard.ReadAsync(new byte[1], TestTimeout));
        Assert.Equal("0", answer.TrailingHeaders.GetValues("grpc-status").Single());
    }

    /// <summary>A request body that a test speaks word by word.</summary>
    private sealed class TalkingContent : HttpContent
    {
        private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TalkingContent() => Headers.ContentType = new("application/grpc");

        public TaskCompletionSource<Stream> Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Finish() => _finished.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            Opened.SetResult(stream);
            await _finished.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
