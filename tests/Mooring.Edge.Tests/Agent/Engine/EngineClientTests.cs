using System.Text;
using Mooring.Edge.Agent.Engine;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Engine;

/// <summary>The client against a real engine.</summary>
[Trait("Peer", "real")]
public sealed class EngineClientTests(PlantFloor plant) : MooringTest
{
    private const string Image = PlantFloor.RuntimeImage + ":latest";

    [Fact]
    public async Task Negotiation_AgreesOnTheNewestVersionThatBothKnow()
    {
        using var engine = await EngineAsync();
        var version = await engine.NegotiateAsync(TestTimeout);
        Assert.True(version >= EngineVersion.Oldest && version <= EngineVersion.Newest, version.ToString());
    }

    [Fact]
    public async Task Container_LivesFromCreationToRemoval()
    {
        using var engine = await EngineAsync();
        var name = NewName();
        await engine.CreateContainerAsync(name, new ContainerCreation
        {
            Image = Image,
            Labels = new Dictionary<string, string> { ["test"] = "life" },
            HostConfig = new HostSettings { CapAdd = ["SYS_NICE"], Memory = 64 << 20, NanoCpus = 500_000_000 },
        }, TestTimeout);
        Assert.Equal("created", (await engine.InspectContainerAsync(name, TestTimeout))!.State.Status);

        await engine.StartContainerAsync(name, TestTimeout);
        await engine.StartContainerAsync(name, TestTimeout);
        var running = (await engine.InspectContainerAsync(name, TestTimeout))!;
        Assert.True(running.State.Running);
        Assert.True(running.State.Pid > 1);
        Assert.Equal("life", running.Config!.Labels!["test"]);
        Assert.Equal((64L << 20, 500_000_000L), (running.HostConfig!.Memory, running.HostConfig.NanoCpus));
        Assert.Contains(await engine.ListContainersAsync(TestTimeout), c => c.Name == name && c.State == "running");

        var stats = await engine.StatsAsync(name, TestTimeout);
        Assert.True(stats.CpuStats!.SystemCpuUsage > 0);
        Assert.True(stats.MemoryStats!.Usage > 0);

        await engine.StopContainerAsync(name, TimeSpan.FromSeconds(5), TestTimeout);
        await engine.StopContainerAsync(name, TimeSpan.FromSeconds(5), TestTimeout);
        Assert.Equal("exited", (await engine.InspectContainerAsync(name, TestTimeout))!.State.Status);
        Assert.True(await engine.RemoveContainerAsync(name, TestTimeout));
        Assert.False(await engine.RemoveContainerAsync(name, TestTimeout));
        Assert.Null(await engine.InspectContainerAsync(name, TestTimeout));
    }

    [Fact]
    public async Task SecondContainerOfTheSameName_IsAConflictInTheEnginesWords()
    {
        using var engine = await EngineAsync();
        var name = NewName();
        await engine.CreateContainerAsync(name, new ContainerCreation { Image = Image }, TestTimeout);
        var refused = await Assert.ThrowsAsync<EngineException>(
            () => engine.CreateContainerAsync(name, new ContainerCreation { Image = Image }, TestTimeout));
        Assert.True(refused.IsConflict);
        Assert.Contains(name, refused.Message, StringComparison.Ordinal);
        await engine.RemoveContainerAsync(name, TestTimeout);
    }

    [Fact]
    public async Task UnknownImage_IsNotFound()
    {
        using var engine = await EngineAsync();
        Assert.Null(await engine.InspectImageAsync("mooring/nowhere:1", TestTimeout));
        Assert.NotNull(await engine.InspectImageAsync(Image, TestTimeout));
        var refused = await Assert.ThrowsAsync<EngineException>(
            () => engine.CreateContainerAsync(NewName(), new ContainerCreation { Image = "mooring/nowhere:1" }, TestTimeout));
        Assert.True(refused.IsNotFound);
    }

    [Fact]
    public async Task Exec_ReturnsExitCodeAndBothOutputs()
    {
        using var engine = await EngineAsync();
        var name = await RunningAsync(engine);
        var (code, output) = await engine.ExecAsync(name, ["sh", "-c", "echo out; echo err >&2; exit 3"], "root", TestTimeout);
        Assert.Equal(3, code);
        Assert.Contains("out", output, StringComparison.Ordinal);
        Assert.Contains("err", output, StringComparison.Ordinal);
        await engine.RemoveContainerAsync(name, TestTimeout);
    }

    [Fact]
    public async Task Logs_AreFollowedUntilTheContainerEnds()
    {
        using var engine = await EngineAsync();
        var name = NewName();
        await engine.CreateContainerAsync(name,
            new ContainerCreation { Image = Image, Cmd = ["sh", "-c", "echo first; echo second >&2; sleep 1; echo third"] }, TestTimeout);
        await engine.StartContainerAsync(name, TestTimeout);
        var written = new List<(bool IsError, string Text)>();
        await foreach (var frame in engine.LogsAsync(name, tail: 100, follow: true, TestTimeout))
            written.Add((frame.IsError, Encoding.UTF8.GetString(frame.Text.Span).Trim()));
        Assert.Equal([(false, "first"), (false, "third")], written.Where(w => !w.IsError));
        Assert.Equal([(true, "second")], written.Where(w => w.IsError));
        await engine.RemoveContainerAsync(name, TestTimeout);
    }

    [Fact]
    public async Task Events_TellThatAContainerDied()
    {
        using var engine = await EngineAsync();
        var name = await RunningAsync(engine);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(TestTimeout);
        var died = new TaskCompletionSource<EngineEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = Task.Run(async () =>
        {
            await foreach (var happened in engine.EventsAsync(["start", "die"], leaving.Token))
                if (happened.Name == name && happened.Action == "die") died.TrySetResult(happened);
        }, TestTimeout);
        // The engine does not say when it began to listen; a container that dies repeatedly is seen as soon as it does.
        for (var attempt = 0; attempt < 20 && !died.Task.IsCompleted; attempt++)
        {
            await engine.StartContainerAsync(name, TestTimeout);
            await engine.StopContainerAsync(name, TimeSpan.FromSeconds(1), TestTimeout);
        }
        Assert.Equal("container", (await died.Task.WaitAsync(TestTimeout)).Type);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await engine.RemoveContainerAsync(name, TestTimeout);
    }

    [Fact]
    public async Task Network_IsCreatedJoinedLeftAndRemoved()
    {
        using var engine = await EngineAsync();
        var name = await RunningAsync(engine);
        var network = name + "_internal";
        await engine.CreateNetworkAsync(new NetworkCreation
        {
            Name = network,
            Driver = "bridge",
            Internal = true,
            IPAM = new NetworkAddresses([new NetworkSubnet("10.213.77.0/28")]),
        }, TestTimeout);
        await engine.ConnectNetworkAsync(network, name,
            new EndpointSettings { IPAMConfig = new EndpointAddresses("10.213.77.5") }, TestTimeout);
        var details = (await engine.InspectNetworkAsync(network, TestTimeout))!;
        Assert.Equal("10.213.77.0/28", details.IPAM!.Config![0].Subnet);
        Assert.Equal("10.213.77.5/28", Assert.Single(details.Containers!).Value.IPv4Address);
        Assert.Equal("10.213.77.5", (await engine.InspectContainerAsync(name, TestTimeout))!.NetworkSettings!.Networks![network].IPAddress);

        var refused = await Assert.ThrowsAsync<EngineException>(() => engine.RemoveNetworkAsync(network, TestTimeout));
        Assert.False(refused.IsUnavailable);
        await engine.DisconnectNetworkAsync(network, name, TestTimeout);
        Assert.True(await engine.RemoveNetworkAsync(network, TestTimeout));
        Assert.False(await engine.RemoveNetworkAsync(network, TestTimeout));
        await engine.RemoveContainerAsync(name, TestTimeout);
    }

    [Fact]
    public async Task Pull_OfAnImageThatNoRegistryHas_FailsInTheEnginesWords()
    {
        using var engine = await EngineAsync();
        var refused = await Assert.ThrowsAsync<EngineException>(async () =>
        {
            await foreach (var _ in engine.PullAsync("127.0.0.1:1/mooring/nowhere", "1", TestTimeout))
            {
            }
        });
        Assert.False(refused.IsUnavailable);
        Assert.NotEmpty(refused.Message);
    }

    [Fact]
    public async Task NobodyAtTheSocket_IsOneLineWithThePath()
    {
        using var engine = new EngineClient(new EngineClientOptions { SocketPath = "/tmp/mooring-no-engine.sock" }, TimeProvider.System);
        var refused = await Assert.ThrowsAsync<EngineException>(() => engine.ListContainersAsync(TestTimeout));
        Assert.True(refused.IsUnavailable);
        Assert.StartsWith("no container engine answers at /tmp/mooring-no-engine.sock: ", refused.Message, StringComparison.Ordinal);
    }

    private async Task<EngineClient> EngineAsync()
    {
        await plant.UpAsync(TestTimeout);
        return new EngineClient(new EngineClientOptions { SocketPath = plant.SocketPath }, TimeProvider.System);
    }

    private async Task<string> RunningAsync(EngineClient engine)
    {
        var name = NewName();
        await engine.CreateContainerAsync(name, new ContainerCreation { Image = Image }, TestTimeout);
        await engine.StartContainerAsync(name, TestTimeout);
        return name;
    }

    private static string NewName() => "t" + Guid.NewGuid().ToString("N")[..12];
}
