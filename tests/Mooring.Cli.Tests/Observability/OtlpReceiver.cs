using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mooring.Cli.Tests.Observability;

/// <summary>A span, as far as tests ask for it; identifiers in hexadecimal, the parent's empty for a root.</summary>
internal sealed record ReceivedSpan(string Trace, string Id, string Parent, string Name, string Service);

/// <summary>A collector: takes OTLP over HTTP with protobuf, reads the few fields that tests ask for, and keeps them.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly List<ReceivedSpan> _spans = [];
    private readonly HashSet<string> _metrics = [];
    private readonly WebApplication _host;
    private TaskCompletionSource _changed = NewSignal();

    private OtlpReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _host = builder.Build();
        _host.MapPost("/v1/traces", (HttpContext http) => TakeAsync(http, AddSpans));
        _host.MapPost("/v1/metrics", (HttpContext http) => TakeAsync(http, AddMetrics));
    }

    internal string Address => _host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    internal IReadOnlyList<ReceivedSpan> Spans
    {
        get { lock (_lock) return [.. _spans]; }
    }

    internal static async Task<OtlpReceiver> StartAsync(CancellationToken cancellationToken)
    {
        var receiver = new OtlpReceiver();
        await receiver._host.StartAsync(cancellationToken);
        return receiver;
    }

    /// <summary>Waits until what has come satisfies <paramref name="find"/>.</summary>
    internal async Task<T> WhenAsync<T>(Func<IReadOnlyList<ReceivedSpan>, IReadOnlySet<string>, T?> find, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (find(_spans, _metrics) is { } found) return found;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.False(cancellationToken.IsCancellationRequested, Describe());
        }
    }

    private string Describe()
    {
        lock (_lock) return $"not in time; spans: {string.Join(", ", _spans.Select(span => span.Name).Distinct())}; metrics: {string.Join(", ", _metrics)}";
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private async Task TakeAsync(HttpContext http, Action<byte[]> add)
    {
        Assert.Equal("application/x-protobuf", http.Request.ContentType);
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        TaskCompletionSource changed;
        lock (_lock)
        {
            add(body.ToArray());
            changed = _changed;
            _changed = NewSignal();
        }
        changed.TrySetResult();
    }

    // ExportTraceServiceRequest: 1 ResourceSpans { 1 Resource, 2 ScopeSpans { 2 Span } }.
    private void AddSpans(byte[] request)
    {
        foreach (var resource in Fields(request, 1))
            foreach (var scope in Fields(resource, 2))
                foreach (var span in Fields(scope, 2))
                    _spans.Add(new ReceivedSpan(Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5), ServiceOf(resource)));
    }

    // ExportMetricsServiceRequest: 1 ResourceMetrics { 1 Resource, 2 ScopeMetrics { 2 Metric { 1 name } } }.
    private void AddMetrics(byte[] request)
    {
        foreach (var resource in Fields(request, 1))
            foreach (var scope in Fields(resource, 2))
                foreach (var metric in Fields(scope, 2))
                    _metrics.Add(Text(metric, 1));
    }

    // Resource: 1 KeyValue { 1 key, 2 AnyValue { 1 string_value } }.
    private static string ServiceOf(byte[] resource) => Fields(resource, 1).SelectMany(r => Fields(r, 1))
        .Where(pair => Text(pair, 1) == "service.name").SelectMany(pair => Fields(pair, 2)).Select(value => Text(value, 1)).Single();

    private static string Hex(byte[] message, int field) => Convert.ToHexString(Fields(message, field).FirstOrDefault() ?? []);

    private static string Text(byte[] message, int field) => System.Text.Encoding.UTF8.GetString(Fields(message, field).FirstOrDefault() ?? []);

    /// <summary>The values of one length-delimited field.</summary>
    private static List<byte[]> Fields(byte[] message, int wanted)
    {
        var found = new List<byte[]>();
        var input = new CodedInputStream(message);
        while (input.ReadTag() is var tag and not 0)
        {
            if (tag == (uint)(wanted << 3 | 2)) found.Add(input.ReadBytes().ToByteArray());
            else input.SkipLastField();
        }
        return found;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
