using System.Net;
using Mooring.Kernel.Tracing;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>A visitor's request in a trace. Alone: while somebody listens, every request through a tunnel has a header more.</summary>
[Collection(TracedAloneCollection.Name)]
public sealed class TracingTests : MooringTest
{
    private readonly TraceContext _visitor = new(SpanCollector.NewTrace());

    [Fact]
    public async Task TraceOfTheVisitor_GoesOnInTheServer_AndInTheApplication()
    {
        using var spans = new SpanCollector("Mooring.Tunnel");
        var headers = await HeadersAsync(_visitor.ToString());
        var span = await spans.WhenAsync(_visitor.Value.TraceId, "tunnel request", TestTimeout);
        Assert.Equal(_visitor.Value.SpanId, span.ParentSpanId);
        Assert.Equal([$"traceparent: {new TraceContext(span.Context)}"], headers);
        Assert.Equal(("GET", 200, "demo"), (span.GetTagItem("http.request.method"), span.GetTagItem("http.response.status_code"), span.GetTagItem("mooring.tunnel.name")));
    }

    [Fact]
    public async Task VisitorWithoutATrace_BeginsOne()
    {
        using var spans = new SpanCollector("Mooring.Tunnel");
        var headers = await HeadersAsync(null);
        var trace = TraceContext.Parse(Assert.Single(headers)["traceparent: ".Length..])!;
        var span = await spans.WhenAsync(trace.Value.TraceId, "tunnel request", TestTimeout);
        Assert.Equal((default, trace.Value.SpanId), (span.ParentSpanId, span.SpanId));
    }

    [Fact]
    public async Task NobodyListens_HeaderIsPassedOnAsItIs() =>
        Assert.Equal([$"traceparent: {_visitor}"], await HeadersAsync(_visitor.ToString()));

    [Fact]
    public async Task TunnelThatIsNotThere_IsATraceToo()
    {
        using var spans = new SpanCollector("Mooring.Tunnel");
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        using var visitor = host.Visitor("nobody");
        using var request = new HttpRequestMessage(HttpMethod.Get, "headers");
        request.Headers.Add("traceparent", _visitor.ToString());
        using var answer = await visitor.SendAsync(request, TestTimeout);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        var span = await spans.WhenAsync(_visitor.Value.TraceId, "tunnel request", TestTimeout);
        Assert.Equal(404, span.GetTagItem("http.response.status_code"));
    }

    private async Task<string[]> HeadersAsync(string? traceparent)
    {
        var origin = Own(await WebOrigin.StartAsync());
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = host.Address,
                Token = await host.TokenAsync(),
                Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }],
            },
            LoggerFactory, cancellationToken: TestTimeout));
        using var visitor = host.Visitor("demo");
        using var request = new HttpRequestMessage(HttpMethod.Get, "headers");
        if (traceparent is not null) request.Headers.Add("traceparent", traceparent);
        using var answer = await visitor.SendAsync(request, TestTimeout);
        var text = await answer.Content.ReadAsStringAsync(TestTimeout);
        return [.. text.Split('\n').Where(line => line.StartsWith("traceparent", StringComparison.OrdinalIgnoreCase)).Select(line => "t" + line[1..])];
    }
}
