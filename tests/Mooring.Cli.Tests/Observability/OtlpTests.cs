using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Observability;

/// <summary>Traces and metrics of the real program, as a collector gets them.</summary>
public sealed class OtlpTests : MooringTest
{
    private static readonly Dictionary<string, string?> Quick = new()
    {
        ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
        ["OTEL_SERVICE_NAME"] = "plant-7",
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-otlp-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Status_FromBroker_ToModule_ToResponse_IsOneTrace_AndMetricsArrive()
    {
        var receiver = Own(await OtlpReceiver.StartAsync(TestTimeout));
        var up = await StartAsync("--demo", "--otlp", receiver.Address);
        var trace = await receiver.WhenAsync((spans, _) => spans.FirstOrDefault(span => span.Name == "fleet status" && IsComplete(spans, span)), TestTimeout);
        Assert.Equal("plant-7", trace.Service);
        await receiver.WhenAsync(
            (_, metrics) => metrics.Contains("mooring.fleet.statuses") && metrics.Contains("mooring.mqtt.broker.received")
                && metrics.Contains("dotnet.process.cpu.time") ? metrics : null,
            TestTimeout);
        Assert.Equal(0, await up.StopAsync(TestTimeout));

        // Broker receives the status, the car handles it, its module is called, the response is published and received by the broker.
        static bool IsComplete(IReadOnlyList<ReceivedSpan> spans, ReceivedSpan status)
        {
            var trace = spans.Where(span => span.Trace == status.Trace).ToList();
            return trace.Exists(span => span.Name == "mqtt receive" && span.Id == status.Parent && span.Parent.Length == 0)
                && trace.Exists(span => span.Name == "fleet module" && span.Parent == status.Id)
                && trace.Find(span => span.Name == "fleet status response" && span.Parent == status.Id) is { } response
                && trace.Exists(span => span.Name == "mqtt receive" && span.Parent == response.Id);
        }
    }

    [Fact]
    public async Task PublishOverRest_IsOneTraceWithItsRequest()
    {
        var receiver = Own(await OtlpReceiver.StartAsync(TestTimeout));
        // As a container platform sets it, instead of the option.
        var up = await StartAsync(new Dictionary<string, string?>(Quick) { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Address });
        using var http = UpRun.Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, up.Console + "/api/broker/publish") { Content = JsonContent.Create(new { topic = "t", text = "x" }) };
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        using var answer = await http.SendAsync(request, TestTimeout);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        await receiver.WhenAsync(
            (spans, _) =>
            {
                var trace = spans.Where(span => span.Trace == "0AF7651916CD43DD8448EB211C80319C").ToList();
                return trace.Find(span => span.Parent == "B7AD6B7169203331" && span.Name == "POST /api/broker/publish") is { } server
                    ? trace.Find(span => span.Name == "mqtt receive" && span.Parent == server.Id) : null;
            },
            TestTimeout);
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CollectorThatIsAway_DisturbsNobody_AndIsMentionedOnce(bool refuses)
    {
        // One refuses connections; the other takes them and never answers.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var address = $"http://{silent.LocalEndpoint}";
        if (refuses) silent.Stop();
        var up = await StartAsync(new Dictionary<string, string?>(Quick) { ["OTEL_EXPORTER_OTLP_TIMEOUT"] = "300" }, "--demo", "--otlp", address);
        await up.Process.LineAsync("do not reach", TestTimeout);
        using var http = UpRun.Client();
        for (var i = 0; i < 20; i++) Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(up.Console + "/health/ready"), TestTimeout)).StatusCode);
        Assert.Equal(0, await up.StopAsync(TestTimeout));
        Assert.Single(up.Process.Lines, line => line.Contains("do not reach", StringComparison.Ordinal));
    }

    [Fact]
    public async Task NobodyAsksForIt_NothingOfItIsLoaded()
    {
        var up = await StartAsync();
        var maps = await File.ReadAllTextAsync($"/proc/{up.Process.Id}/maps", TestTimeout);
        Assert.Contains("Mooring.Mqtt.dll", maps, StringComparison.Ordinal);
        Assert.DoesNotContain("OpenTelemetry", maps, StringComparison.Ordinal);
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("ftp://127.0.0.1:4318")]
    [InlineData("http://")]
    public async Task AddressThatIsNone_IsOneLine(string address)
    {
        await using var up = UpRun.Begin(_folder, ["--in-memory", "--otlp", address]);
        Assert.Equal(2, await up.Process.ExitAsync(TestTimeout));
        Assert.Contains(up.Process.Lines, line => line == $"mooring: --otlp: '{address}' is not allowed: use an http or https address, such as http://127.0.0.1:4318");
    }

    private Task<UpRun> StartAsync(params string[] more) => StartAsync(Quick, more);

    private async Task<UpRun> StartAsync(Dictionary<string, string?> environment, params string[] more)
    {
        var up = Own(UpRun.Begin(_folder, ["--in-memory", .. more], environment));
        await up.ReadyAsync(TestTimeout);
        return up;
    }
}
