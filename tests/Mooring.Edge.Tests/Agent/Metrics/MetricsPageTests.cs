using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Operations;
using Mooring.Edge.Agent.State;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Metrics;

/// <summary>The agent's page for Prometheus, on a port of loopback, with an engine that is played.</summary>
public sealed class MetricsPageTests : MooringTest
{
    private const string Stats = """
        {
          "cpu_stats": { "cpu_usage": { "total_usage": 1000 }, "system_cpu_usage": 2000, "online_cpus": 2, "throttling_data": { "throttled_time": 1500000000 } },
          "memory_stats": { "usage": 3145728, "stats": { "inactive_file": 1048576 } },
          "networks": { "eth0": { "rx_bytes": 10, "tx_bytes": 1 }, "eth1": { "rx_bytes": 20, "tx_bytes": 2 } }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-metrics-").FullName;
    private PlayedEngine _engine = null!;
    private AgentUnderTest _agent = null!;

    [Fact]
    public async Task Page_TellsOfHub_Monitor_Operations_AndEachDeviceThatRuns()
    {
        using var http = await StartAsync();
        var loads = _agent.Get<LoadRecorder>();
        await loads.RecordDevicesAsync(["plc", "gone"], TestTimeout);
        _agent.Get<OperationTable>().TryBegin("plc", OperationKind.Restart, out _);
        _agent.Get<OperationTable>().Fail("other", "no image");
        var page = await http.GetStringAsync("metrics", TestTimeout);
        foreach (var line in (string[])
            [
                "mooring_agent_hub_connected 1", "mooring_agent_hub_connections_total 3", "mooring_agent_monitor_connected 0", "mooring_agent_devices 0",
                "mooring_agent_operations{state=\"running\"} 1", "mooring_agent_operations{state=\"failed\"} 1", "mooring_agent_device_memory_bytes{device=\"plc\"} 2097152",
                "mooring_agent_device_received_bytes_total{device=\"plc\"} 30", "mooring_agent_device_sent_bytes_total{device=\"plc\"} 3",
                "mooring_agent_device_throttled_seconds_total{device=\"plc\"} 1.5",
            ]) Assert.Contains(line + "\n", page, StringComparison.Ordinal);
        Assert.DoesNotContain("gone", page, StringComparison.Ordinal);
        // It was stopped: what it used is nothing that it uses.
        _engine.Stats = [];
        await loads.RecordDevicesAsync(["plc"], TestTimeout);
        Assert.DoesNotContain("device=", await http.GetStringAsync("metrics", TestTimeout), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "", HttpStatusCode.NotFound)]
    [InlineData("GET", "metrics/x", HttpStatusCode.NotFound)]
    [InlineData("POST", "metrics", HttpStatusCode.MethodNotAllowed)]
    [InlineData("HEAD", "metrics", HttpStatusCode.OK)]
    public async Task AnythingElse_IsRefused(string method, string path, HttpStatusCode status)
    {
        using var http = await StartAsync();
        using var answer = await http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), TestTimeout);
        Assert.Equal(status, answer.StatusCode);
        if (status == HttpStatusCode.OK) Assert.Equal(MediaTypeHeaderValue.Parse("text/plain; version=0.0.4; charset=utf-8"), answer.Content.Headers.ContentType);
    }

    [Fact]
    public async Task ThoseWhoConnectAndSayNothing_HoldUpNobody()
    {
        using var http = await StartAsync();
        var silent = new List<TcpClient>();
        for (var i = 0; i < MetricsPage.AnswersMax * 2; i++)
        {
            silent.Add(new TcpClient());
            await silent[^1].ConnectAsync(IPAddress.Loopback, http.BaseAddress!.Port, TestTimeout);
            await silent[^1].GetStream().WriteAsync("GET /metrics HTTP/1.1\r\n"u8.ToArray(), TestTimeout);
        }
        Assert.Contains("mooring_agent_devices", await http.GetStringAsync("metrics", TestTimeout), StringComparison.Ordinal);
        silent.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task PortThatIsTaken_IsTold_AndNothingStarts()
    {
        using var http = await StartAsync();
        using var second = PageAt(http.BaseAddress!.Port);
        var refused = await Assert.ThrowsAsync<AgentStartException>(() => second.StartAsync(TestTimeout));
        Assert.StartsWith($"--metrics-port: {http.BaseAddress.Port} cannot be had: ", refused.Message, StringComparison.Ordinal);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private MetricsPage PageAt(int port) => new(
        port,
        new AgentMetrics(
            () => true, () => 3, _agent.Get<AgentState>(), _agent.Get<OperationTable>(), _agent.Get<LoadRecorder>(), _agent.Get<INetworkMonitor>()),
        TimeProvider.System, LoggerFactory.CreateLogger<MetricsPage>());

    private async Task<HttpClient> StartAsync()
    {
        _engine = new PlayedEngine { SocketPath = Path.Combine(_folder, "engine.sock"), Stats = JsonNode.Parse(Stats)!.AsObject() };
        Own(await PlayedEngine.StartAsync(_engine));
        _engine.Put("plc", isRunning: true);
        _agent = Own(new AgentUnderTest(_folder, _engine.SocketPath, LoggerFactory));
        for (var attempt = 0; ; attempt++)
        {
            var port = FreePort();
            var page = PageAt(port);
            try
            {
                await page.StartAsync(TestTimeout);
            }
            catch (AgentStartException) when (attempt < 10)
            {
                // Another program was faster.
                page.Dispose();
                continue;
            }
            Own(new Running(page));
            return new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
        }
    }

    private sealed class Running(MetricsPage page) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await page.StopAsync(CancellationToken.None);
            page.Dispose();
        }
    }
}
