using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Operations;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Devices;

/// <summary>Fetching images, from an engine that is played: no registry can be had that fetches as slowly as is wanted.</summary>
public sealed class ImagePullTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-pull-").FullName;
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _pulls;

    [Fact]
    public async Task D39_Pull_IsShownWhileItRuns_AndLeftOutWhereTheImageIsThere()
    {
        await using var engine = await StartEngineAsync();
        await using var agent = new AgentUnderTest(_folder, Path.Combine(_folder, "engine.sock"), LoggerFactory);
        var (operations, pull) = (agent.Get<OperationTable>(), agent.Get<ImagePull>());
        Assert.Null(await pull.EnsureAsync("plc", "runtime", "here", PullPolicy.IfNotPresent, TestTimeout));
        Assert.Equal(0, _pulls);

        Assert.True(operations.TryBegin("plc", OperationKind.Create, out _));
        var pulling = pull.EnsureAsync("plc", "runtime", "far", PullPolicy.Always, TestTimeout);
        var status = await agent.StatusAsync("plc", s => s.TryGetProperty("pull", out var p) && p.GetProperty("layers_done").GetInt32() == 1, TestTimeout);
        Assert.Equal((2, 1300), (status.GetProperty("pull").GetProperty("layers_total").GetInt32(), status.GetProperty("pull").GetProperty("bytes").GetInt64()));
        Assert.Equal("creating", status.GetProperty("status").GetString());
        Assert.False(pulling.IsCompleted);
        _goOn.SetResult();
        Assert.Null(await pulling);
        Assert.Equal(1, _pulls);
        Assert.Contains(agent.Events, e => e.Name == "pull_progress" && (string)e.Message["image"]! == "runtime:far" && (int)e.Message["layers_done"]! == 2);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<WebApplication> StartEngineAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Path.Combine(_folder, "engine.sock")));
        var engine = builder.Build();
        engine.Run(AnswerAsync);
        await engine.StartAsync();
        return engine;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path.EndsWith("/version", StringComparison.Ordinal)) await context.Response.WriteAsync("""{"Version":"20.10","ApiVersion":"1.41"}""");
        else if (path.EndsWith("/images/runtime:here/json", StringComparison.Ordinal)) await context.Response.WriteAsync("""{"Id":"sha256:1"}""");
        else if (!path.EndsWith("/images/create", StringComparison.Ordinal)) context.Response.StatusCode = (int)HttpStatusCode.NotFound;
        else
        {
            Interlocked.Increment(ref _pulls);
            await context.Response.WriteAsync(
                """
                {"status":"Pulling from runtime","id":"far"}
                {"status":"Downloading","progressDetail":{"current":1000,"total":1000},"id":"one"}
                {"status":"Pull complete","progressDetail":{},"id":"one"}
                {"status":"Downloading","progressDetail":{"current":300,"total":5000},"id":"two"}

                """);
            await context.Response.Body.FlushAsync();
            await _goOn.Task.WaitAsync(TestTimeout);
            await context.Response.WriteAsync("""{"status":"Pull complete","progressDetail":{},"id":"two"}""" + "\n");
        }
    }
}
