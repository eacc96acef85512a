using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Metrics;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Testing;

public sealed class InMemoryTransportTests : MooringTest
{
    private readonly InMemoryTransport _transport = new();
    private const int Connections = 20;
    private readonly TaskCompletionSource _serverSawAllCloses = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _closes;

    [Fact]
    public async Task RealKestrel_AnswersHttpWithoutAPort()
    {
        await StartAsync();
        using var client = _transport.CreateHttpClient("http");
        Assert.Equal("hello", await client.GetStringAsync("/hello", TestTimeout));
        Assert.Equal("hello", await client.GetStringAsync("/hello", TestTimeout));
    }

    [Fact]
    public async Task ListenedToMetrics_DoNotStopKestrelFromAccepting()
    {
        using var metrics = new PrometheusExporter();
        await StartAsync();
        using var client = _transport.CreateHttpClient("http");
        Assert.Equal("hello", await client.GetStringAsync("/hello", TestTimeout));
    }

    [Fact]
    public async Task ConnectionHandler_EchoesManyConnectionsAndSeesTheirEnd()
    {
        await StartAsync();
        for (var i = 0; i < Connections; i++)
        {
            await using var connection = await _transport.ConnectAsync("echo", TestTimeout);
            await using var stream = connection.AsStream();
            var sent = new byte[100_000];
            new Random(i).NextBytes(sent);
            var write = stream.WriteAsync(sent, TestTimeout);
            var received = new byte[sent.Length];
            await stream.ReadExactlyAsync(received, TestTimeout);
            await write;
            Assert.Equal(sent, received);
        }
        await _serverSawAllCloses.Task.WaitAsync(TestTimeout);
    }

    [Fact]
    public async Task AbortedClient_ShowsAsResetOnTheServer()
    {
        var (client, server) = InMemoryConnection.CreatePair("x", new InMemoryEndPoint("x"));
        var read = server.Transport.Input.ReadAsync(TestTimeout).AsTask();
        client.Abort();
        await Assert.ThrowsAsync<ConnectionResetException>(() => read);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, server.ConnectionClosed)
            .ContinueWith(_ => { }, TestTimeout, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    [Fact]
    public async Task NobodyListening_RefusesTheConnection() =>
        await Assert.ThrowsAsync<IOException>(() => _transport.ConnectAsync("nothing", TestTimeout));

    [Fact]
    public async Task CutAfter_LetsExactlySoManyBytesThroughToKestrel()
    {
        await StartAsync();
        var toServer = new ByteFaults().CutAfter(7).InPiecesOf(2);
        await using var connection = await _transport.ConnectAsync("echo", toServer, null, TestTimeout);
        await connection.Transport.Output.WriteAsync("0123456789"u8.ToArray(), TestTimeout);
        await Assert.ThrowsAsync<ConnectionResetException>(async () =>
        {
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync(TestTimeout);
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
            }
        });
        Assert.Equal(7, toServer.Passed);
    }

    private async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(Log);
        builder.Services.AddSingleton<IConnectionListenerFactory>(_transport);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(new InMemoryEndPoint("http"));
            kestrel.Listen(new InMemoryEndPoint("echo"), listen => listen.Run(EchoAsync));
        });
        var app = Own(builder.Build());
        app.MapGet("/hello", () => "hello");
        await app.StartAsync(TestTimeout);
    }

    private async Task EchoAsync(ConnectionContext connection)
    {
        try
        {
            await connection.Transport.Input.CopyToAsync(connection.Transport.Output);
            if (Interlocked.Increment(ref _closes) == Connections) _serverSawAllCloses.SetResult();
        }
        catch (ConnectionResetException)
        {
            await connection.Transport.Output.CompleteAsync();
        }
    }
}
