using Mooring.Cli.Hosting;
using Mooring.Cli.Telemetry;

namespace Mooring.Cli.Tests.Observability;

public sealed class OtlpOptionsTests
{
    [Fact]
    public void NobodyAsks_NothingIsExported() => Assert.Null(Read(null));

    [Fact]
    public void Variable_IsEnough_AndKeepsItsOwnRules()
    {
        var options = Read(null, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"))!;
        Assert.Equal(new Uri("http://collector:4318"), options.Collector);
        Assert.Null(options.AddressOf("v1/traces"));
    }

    [Fact]
    public void Option_CountsBeforeTheVariable() =>
        Assert.Equal(new Uri("http://mine:4318"), Read("http://mine:4318", ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://theirs:4318"))!.Collector);

    [Theory]
    [InlineData("http://c:4318", "http://c:4318/v1/traces")]
    [InlineData("https://c/otlp/", "https://c/otlp/v1/traces")]
    [InlineData("http://c:4317", "http://c:4317/")]
    public void Address_HasThePathOfItsProtocol(string given, string expected) => Assert.Equal(expected, Read(given)!.AddressOf("v1/traces")!.ToString());

    [Theory]
    [InlineData("http://c:4317", null, true)]
    [InlineData("http://c:4318", null, false)]
    [InlineData("http://c:4317", "http/protobuf", false)]
    [InlineData("http://c:9000", "grpc", true)]
    public void Protocol_IsSaidOrIsThatOfThePort(string given, string? protocol, bool isGrpc) =>
        Assert.Equal(isGrpc, Read(given, ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol))!.UsesGrpc);

    [Fact]
    public void SwitchedOff_IsOff()
    {
        Assert.Null(Read("http://c:4318", ("OTEL_SDK_DISABLED", "true")));
        Assert.False(Read("http://c:4318", ("OTEL_TRACES_EXPORTER", "none"))!.HasTraces);
        Assert.False(Read("http://c:4318", ("OTEL_METRICS_EXPORTER", "none"))!.HasMetrics);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' is not allowed: use an http or https address, such as http://127.0.0.1:4318")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' is not allowed: use grpc or http/protobuf")]
    public void VariableThatMakesNoSense_IsOneLine(string name, string value, string expected)
    {
        var given = name == "OTEL_EXPORTER_OTLP_ENDPOINT" ? null : "http://c:4318";
        Assert.Equal([expected], Assert.Throws<UserErrorException>(() => Read(given, (name, value))).Lines);
    }

    private static OtlpOptions? Read(string? given, params (string Name, string? Value)[] variables) =>
        OtlpOptions.Of(given is null ? null : new Uri(given), name => variables.FirstOrDefault(variable => variable.Name == name).Value);
}
