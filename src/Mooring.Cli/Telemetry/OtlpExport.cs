using System.Reflection;
using Mooring.Cli.Hosting;
using Mooring.Kernel.Metrics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Mooring.Cli.Telemetry;

/// <summary>
/// Traces and metrics of all systems of this process on their way to a collector. The systems know only the activity sources and meters of
/// the framework; OpenTelemetry is here and nowhere else. First to start and last to stop, so that it hears of everything.
/// </summary>
internal sealed partial class OtlpExport(OtlpOptions options, TimeProvider time, ILogger<OtlpExport> logger) : IHostedService, IDisposable
{
    /// <summary>What is still here at the end is sent within this time, or not at all: a collector that is gone must not hold up the stop.</summary>
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);

    /// <summary>A collector that stays away is mentioned this often.</summary>
    private static readonly TimeSpan ReportEvery = TimeSpan.FromHours(1);

    private readonly ILogger _logger = logger;
    private readonly Lock _lock = new();
    private OtlpFailures? _failures;
    private TracerProvider? _traces;
    private MeterProvider? _metrics;
    private long? _reportedAt;

    internal static void AddTo(MooringHost host, OtlpOptions options)
    {
        // Tags of requests as the semantic conventions have them; without this a span says nothing but its duration.
        AppContext.SetSwitch("Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData", false);
        host.Services.AddSingleton<IStartupFilter, RequestNames>();
        host.Services.AddHostedService(services => new OtlpExport(
            options, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<OtlpExport>>()));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _failures = new OtlpFailures(Report);
        _failures.Start();
        if (options.HasTraces)
        {
            _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(Resource()).AddSource("Mooring.*", "Microsoft.AspNetCore")
                .AddOtlpExporter(exporter => Aim(exporter, "v1/traces")).Build();
        }
        if (options.HasMetrics)
        {
            _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(Resource()).AddMeter([.. new PrometheusOptions().Meters])
                .AddOtlpExporter(exporter => Aim(exporter, "v1/metrics")).Build();
        }
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var limit = (int)FlushLimit.TotalMilliseconds;
        // Each waits for a thread of its own; both together take no longer than one.
        await Task.WhenAll(Task.Run(() => _traces?.Shutdown(limit), CancellationToken.None), Task.Run(() => _metrics?.Shutdown(limit), CancellationToken.None));
        Dispose();
    }

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
        _failures?.Dispose();
    }

    // Variables come last: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES count before what we call ourselves.
    private static ResourceBuilder Resource() => ResourceBuilder.CreateEmpty()
        .AddService("mooring", serviceVersion: typeof(OtlpExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion)
        .AddTelemetrySdk().AddEnvironmentVariableDetector();

    private void Aim(OtlpExporterOptions exporter, string path)
    {
        exporter.Protocol = options.UsesGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        if (options.AddressOf(path) is { } address) exporter.Endpoint = address;
    }

    private void Report(string reason)
    {
        lock (_lock)
        {
            if (_reportedAt is { } at && time.GetElapsedTime(at) < ReportEvery) return;
            _reportedAt = time.GetTimestamp();
        }
        LogUnreachable(options.Collector, reason);
    }

    [LoggerMessage(9670, LogLevel.Warning, "Traces and metrics do not reach {Collector}: {Reason}; they are dropped until they do, and nothing else is affected")]
    private partial void LogUnreachable(Uri collector, string reason);
}
