using Mooring.Cli.Hosting;

namespace Mooring.Cli.Telemetry;

/// <summary>Where traces and metrics go. There are none of these options as long as nobody asks for it.</summary>
internal sealed record OtlpOptions
{
    internal const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    internal const string ProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL";
    internal const string AddressRule = "an http or https address, such as http://127.0.0.1:4318";

    /// <summary>The port that OpenTelemetry has set aside for gRPC; collectors speak HTTP on the next.</summary>
    private const int GrpcPort = 4317;

    private const string Grpc = "grpc";
    private const string Http = "http/protobuf";

    /// <summary>The collector.</summary>
    internal required Uri Collector { get; init; }

    /// <summary>Whether the address was given to us, and counts before that of the environment.</summary>
    internal bool IsOurs { get; init; }

    internal bool UsesGrpc { get; init; }

    internal bool HasTraces { get; init; } = true;

    internal bool HasMetrics { get; init; } = true;

    /// <summary>Puts the option and OpenTelemetry's standard variables together; null when nothing is to be exported.</summary>
    /// <param name="given">The option's value.</param>
    /// <param name="variable">Reads a variable of the environment.</param>
    /// <exception cref="UserErrorException">A variable makes no sense.</exception>
    internal static OtlpOptions? Of(Uri? given, Func<string, string?> variable)
    {
        var text = variable(EndpointVariable);
        if (given is null && string.IsNullOrEmpty(text)) return null;
        if (string.Equals(variable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)) return null;
        if ((given ?? ParseAddress(text!)) is not { } collector) throw new UserErrorException($"{EndpointVariable}: '{text}' is not allowed: use {AddressRule}");
        return new OtlpOptions
        {
            Collector = collector,
            IsOurs = given is not null,
            UsesGrpc = variable(ProtocolVariable) switch
            {
                null or "" => collector.Port == GrpcPort,
                Grpc => true,
                Http => false,
                var other => throw new UserErrorException($"{ProtocolVariable}: '{other}' is not allowed: use {Grpc} or {Http}"),
            },
            HasTraces = variable("OTEL_TRACES_EXPORTER") != "none",
            HasMetrics = variable("OTEL_METRICS_EXPORTER") != "none",
        };
    }

    /// <summary>An address of a collector; null when it is none.</summary>
    internal static Uri? ParseAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.Host.Length > 0 ? address : null;

    /// <summary>Where one kind of data is sent; null to leave it to the environment's own rules.</summary>
    internal Uri? AddressOf(string path)
    {
        if (!IsOurs || UsesGrpc) return IsOurs ? Collector : null;
        return new UriBuilder(Collector) { Path = $"{Collector.AbsolutePath.TrimEnd('/')}/{path}" }.Uri;
    }
}
