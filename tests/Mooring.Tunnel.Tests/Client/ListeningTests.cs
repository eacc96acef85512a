using System.IO.Pipelines;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Listening;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

/// <summary>An ASP.NET Core application that listens on a tunnel.</summary>
public sealed class ListeningTests : MooringTest
{
    private async Task<(HttpClient Visitor, WebApplication Application)> ListenAsync(Action<WebApplication> map)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var options = new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { Subdomain = "inside" }] };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IConnectionListenerFactory, TunnelTransport>();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(new TunnelEndPoint(options)));
        var application = Own(builder.Build());
        map(application);
        await application.StartAsync(TestTimeout);
        return (host.Visitor("inside"), application);
    }

    [Fact]
    public async Task Application_ListensOnATunnel_WithoutAPort()
    {
        var (visitor, application) = await ListenAsync(application =>
        {
            application.MapGet("/", () => "from inside");
            application.MapPost("/echo", async (HttpContext context) => await context.Request.Body.CopyToAsync(context.Response.Body));
        });
        using (visitor)
        {
            Assert.Equal("from inside", await visitor.GetStringAsync("", TestTimeout));
            var body = RandomNumberGenerator.GetBytes(2_000_000);
            using var answer = await visitor.PostAsync("echo", new ByteArrayContent(body), TestTimeout);
            Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync(TestTimeout));
        }
        await application.StopAsync(TestTimeout);
    }

    [Fact]
    public async Task VisitorThatLeaves_AbortsTheRequestInTheApplication()
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (visitor, _) = await ListenAsync(application => application.MapGet("/events", async (HttpContext context) =>
        {
            await using var registration = context.RequestAborted.Register(() => aborted.TrySetResult());
            await context.Response.WriteAsync("first", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await aborted.Task;
        }));
        using (visitor)
        {
            using var answer = await visitor.GetAsync("events", HttpCompletionOption.ResponseHeadersRead, TestTimeout);
            await using var stream = await answer.Content.ReadAsStreamAsync(TestTimeout);
            await stream.ReadExactlyAsync(new byte[5], TestTimeout);
        }
        await aborted.Task.WaitAsync(TestTimeout);
    }

    [Fact]
    public async Task AbortedConnection_MayBeDisposedAtOnce()
    {
        var pipe = new Pipe();
        await using var connection = new AcceptedConnection("tunnel-1", new Duplex(pipe.Reader, pipe.Writer));
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = connection.ConnectionClosed.Register(() => closed.TrySetResult());
        connection.Abort(new ConnectionAbortedException());
        await connection.DisposeAsync();
        await closed.Task.WaitAsync(TestTimeout);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
