using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Origin;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>How ends are passed on: resets of TCP connections both ways, and bodies that are sent only when they are asked for.</summary>
public sealed class ConnectionEndTests : MooringTest
{
    private async Task<(TunnelHost Host, TunnelClient Client)> PublishAsync(TunnelDefinition definition)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [definition] }, LoggerFactory, cancellationToken: TestTimeout));
        return (host, client);
    }

    private async Task<NetworkStream> DialAsync(int port)
    {
        var visitor = new TcpClient { NoDelay = true };
        await visitor.ConnectAsync(IPAddress.Loopback, port, TestTimeout);
        return visitor.GetStream();
    }

    [Fact]
    public async Task ApplicationThatResets_ResetsTheVisitor_WhoIsNotLeftWithHalf()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            await stream.ReadExactlyAsync(new byte[5]);
            await stream.WriteAsync("half"u8.ToArray());
            await stream.ReadExactlyAsync(new byte[5]);
            stream.Socket.LingerState = new LingerOption(true, 0);
            stream.Socket.Close();
        });
        var (_, client) = await PublishAsync(new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = origin.Port });
        await using var visitor = await DialAsync(client.Tunnels[0].RemotePort!.Value);
        await visitor.WriteAsync("hello"u8.ToArray(), TestTimeout);
        await visitor.ReadExactlyAsync(new byte[4], TestTimeout);
        await visitor.WriteAsync("again"u8.ToArray(), TestTimeout);
        var reset = await Assert.ThrowsAsync<IOException>(async () => await visitor.ReadExactlyAsync(new byte[1], TestTimeout));
        Assert.Equal(SocketError.ConnectionReset, (reset.InnerException as SocketException)?.SocketErrorCode);
    }

    [Fact]
    public async Task VisitorThatResets_ResetsTheApplication()
    {
        var (reached, ended) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var origin = new RawOrigin(async stream =>
        {
            await stream.ReadExactlyAsync(new byte[5]);
            reached.SetResult();
            try
            {
                await stream.ReadExactlyAsync(new byte[1]);
                ended.SetResult(null);
            }
            catch (IOException exception)
            {
                ended.SetResult(exception);
            }
        });
        var (_, client) = await PublishAsync(new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = origin.Port });
        var visitor = await DialAsync(client.Tunnels[0].RemotePort!.Value);
        await visitor.WriteAsync("hello"u8.ToArray(), TestTimeout);
        await reached.Task.WaitAsync(TestTimeout);
        visitor.Socket.LingerState = new LingerOption(true, 0);
        visitor.Socket.Close();
        // An end in good order would be taken for all that the visitor had to say.
        var heard = await ended.Task.WaitAsync(TestTimeout);
        Assert.Equal(SocketError.ConnectionReset, (heard?.InnerException as SocketException)?.SocketErrorCode);
    }

    [Fact]
    public async Task VisitorThatLeavesWhileTheApplicationIsDialled_LeavesNoConnectionBehind()
    {
        var origin = new SlowOrigin();
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = 1 }] },
            _ => origin, LoggerFactory, null, TestTimeout));
        var visitor = await DialAsync(client.Tunnels[0].RemotePort!.Value);
        var first = await origin.Dialled.ReadAsync(TestTimeout);
        visitor.Socket.LingerState = new LingerOption(true, 0);
        visitor.Socket.Close();
        await Eventually.TrueAsync(() => host.Server.Sessions.All.Single().StreamCount == 0, "the server has forgotten the visitor", TestTimeout);
        // Frames come in order: a client that dials for the second has heard that the first is gone.
        await using var second = await DialAsync(client.Tunnels[0].RemotePort!.Value);
        var other = await origin.Dialled.ReadAsync(TestTimeout);
        var closed = new TaskCompletionSource();
        var pipe = new Pipe();
        first.SetResult(new DuplexStream(new PipeOfBoth(pipe), () =>
        {
            closed.SetResult();
            return ValueTask.CompletedTask;
        }));
        await closed.Task.WaitAsync(TestTimeout);
        other.SetException(new OriginException("not this one"));
    }

    [Fact]
    public async Task VisitorThatWaitsForContinue_IsToldToGoOn_ButNotWhenNobodyWantsTheBody()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" });
        await using var visitor = await DialAsync(host.Server.Http.Port);
        await visitor.WriteAsync("POST /echo HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"u8.ToArray(), TestTimeout);
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await RawOrigin.ReadHeadAsync(visitor));
        await visitor.WriteAsync("hello"u8.ToArray(), TestTimeout);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await RawOrigin.ReadHeadAsync(visitor), StringComparison.Ordinal);
        await using var other = await DialAsync(host.Server.Http.Port);
        await other.WriteAsync("POST /echo HTTP/1.1\r\nHost: nobody.localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"u8.ToArray(), TestTimeout);
        Assert.StartsWith("HTTP/1.1 404 Not Found\r\n", await RawOrigin.ReadHeadAsync(other), StringComparison.Ordinal);
    }

    /// <summary>An application that is reached when the test says so.</summary>
    private sealed class SlowOrigin : IOrigin
    {
        private readonly Channel<TaskCompletionSource<Stream>> _dialled = Channel.CreateBounded<TaskCompletionSource<Stream>>(10);

        public string Authority => "slow";

        public ChannelReader<TaskCompletionSource<Stream>> Dialled => _dialled.Reader;

        public async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
        {
            var answer = new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously);
            await _dialled.Writer.WriteAsync(answer, cancellationToken);
            return await answer.Task;
        }
    }

    private sealed class PipeOfBoth(Pipe pipe) : IDuplexPipe
    {
        public PipeReader Input => pipe.Reader;

        public PipeWriter Output => pipe.Writer;
    }
}
