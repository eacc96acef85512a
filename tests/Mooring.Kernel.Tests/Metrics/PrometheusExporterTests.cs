using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text;
using Mooring.Kernel.Metrics;

namespace Mooring.Kernel.Tests.Metrics;

public sealed class PrometheusExporterTests : IDisposable
{
    private readonly Meter _meter = new("Mooring.Tests");
    private PrometheusExporter _exporter;

    public PrometheusExporterTests() => _exporter = New(new PrometheusOptions());

    public void Dispose()
    {
        _exporter.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void Counter_IsWrittenWithHelpTypeUnitAndLabels()
    {
        var counter = _meter.CreateCounter<long>("mooring.test.sent", "By", "Bytes sent\nto peers \\ all");
        counter.Add(5);
        counter.Add(7, new KeyValuePair<string, object?>("peer.name", "a\"b\\c\nd"));
        counter.Add(1, new KeyValuePair<string, object?>("b", 1), new KeyValuePair<string, object?>("a", true));
        counter.Add(1, new KeyValuePair<string, object?>("a", true), new KeyValuePair<string, object?>("b", 1));
        Assert.Contains(
            """
            # HELP mooring_test_sent_bytes_total Bytes sent\nto peers \\ all
            # TYPE mooring_test_sent_bytes_total counter
            mooring_test_sent_bytes_total 5
            mooring_test_sent_bytes_total{a="True",b="1"} 2
            mooring_test_sent_bytes_total{peer_name="a\"b\\c\nd"} 7

            """.ReplaceLineEndings("\n"), Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void UpDownCounterAndGauge_AreGauges()
    {
        var connections = _meter.CreateUpDownCounter<int>("mooring.test.connections", "{connection}");
        connections.Add(3);
        connections.Add(-1);
        var level = _meter.CreateGauge<double>("mooring.test.level", "1");
        level.Record(0.75);
        level.Record(0.5);
        var text = Text();
        Assert.Contains("# TYPE mooring_test_connections gauge\nmooring_test_connections 2\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE mooring_test_level_ratio gauge\nmooring_test_level_ratio 0.5\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Histogram_HasCumulativeBucketsSumAndCount()
    {
        var histogram = _meter.CreateHistogram(
            "mooring.test.duration", "s", "d", tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 1] });
        foreach (var value in new[] { 0.05, 0.1, 0.5, 5, double.NaN }) histogram.Record(value, new KeyValuePair<string, object?>("k", "v"));
        Assert.Contains(
            """
            mooring_test_duration_seconds_bucket{k="v",le="0.1"} 2
            mooring_test_duration_seconds_bucket{k="v",le="1"} 3
            mooring_test_duration_seconds_bucket{k="v",le="+Inf"} 4
            mooring_test_duration_seconds_sum{k="v"} 5.65
            mooring_test_duration_seconds_count{k="v"} 4

            """.ReplaceLineEndings("\n"), Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void ObservableInstruments_AreAskedEachTimeAndForgetWhatTheyNoLongerReport()
    {
        long total = 0;
        List<Measurement<int>> queues = [new(1, new KeyValuePair<string, object?>("q", "a")), new(2, new KeyValuePair<string, object?>("q", "b"))];
        _meter.CreateObservableCounter("mooring.test.seen", () => total += 10);
        _meter.CreateObservableGauge("mooring.test.queue", () => queues);
        var first = Text();
        Assert.Contains("mooring_test_seen_total 10\n", first, StringComparison.Ordinal);
        Assert.Contains("mooring_test_queue{q=\"b\"} 2\n", first, StringComparison.Ordinal);
        queues.RemoveAt(1);
        var second = Text();
        Assert.Contains("mooring_test_seen_total 20\n", second, StringComparison.Ordinal);
        Assert.Contains("mooring_test_queue{q=\"a\"} 1\n", second, StringComparison.Ordinal);
        Assert.DoesNotContain("q=\"b\"", second, StringComparison.Ordinal);
    }

    [Fact]
    public void FailingCallback_DoesNotHarmTheOthers()
    {
        _meter.CreateObservableGauge("mooring.test.bad", int () => throw new ObjectDisposedException("x"));
        _meter.CreateObservableGauge("mooring.test.good", () => 1);
        Assert.Contains("mooring_test_good 1\n", Text(), StringComparison.Ordinal);
    }

    [Fact]
    public void LabelSetsBeyondTheLimit_AreDroppedAndCounted()
    {
        _exporter.Dispose();
        _exporter = New(new PrometheusOptions { SeriesMax = 10 });
        var counter = _meter.CreateCounter<int>("mooring.test.wild");
        for (var i = 0; i < 25; i++) counter.Add(1, new KeyValuePair<string, object?>("client", i));
        counter.Add(1, new KeyValuePair<string, object?>("client", 0));
        var text = Text();
        Assert.Equal(10, text.Split('\n').Count(l => l.StartsWith("mooring_test_wild_total{", StringComparison.Ordinal)));
        Assert.Contains("mooring_test_wild_total{client=\"0\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("mooring_metrics_overflow_total{metric=\"mooring_test_wild_total\"} 15\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void OneNameWithTwoKinds_KeepsTheFirstAndCountsTheOther()
    {
        _meter.CreateGauge<int>("mooring.test.same").Record(1);
        _meter.CreateUpDownCounter<int>("mooring.test.same").Add(5);
        var text = Text();
        Assert.Contains("mooring_test_same 1\n", text, StringComparison.Ordinal);
        Assert.Contains("mooring_metrics_refused_total 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ManyThreads_LoseNothing()
    {
        var counter = _meter.CreateCounter<long>("mooring.test.long");
        var doubles = _meter.CreateCounter<double>("mooring.test.double");
        Parallel.For(0, 40_000, i =>
        {
            counter.Add(1, new KeyValuePair<string, object?>("shard", i % 4));
            doubles.Add(0.5);
        });
        var text = Text();
        for (var shard = 0; shard < 4; shard++)
            Assert.Contains($"mooring_test_long_total{{shard=\"{shard}\"}} 10000\n", text, StringComparison.Ordinal);
        Assert.Contains("mooring_test_double_total 20000\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void RuntimeMeter_IsExportedAndForeignMetersAreNot()
    {
        using var foreign = new Meter("Foreign");
        foreign.CreateCounter<int>("foreign").Add(1);
        using var all = new PrometheusExporter();
        var output = new ArrayBufferWriter<byte>();
        all.WriteTo(output);
        var text = Encoding.UTF8.GetString(output.WrittenSpan);
        Assert.Contains("# TYPE dotnet_gc_collections_total counter", text, StringComparison.Ordinal);
        Assert.Contains("dotnet_process_memory_working_set_bytes ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("foreign", text, StringComparison.Ordinal);
    }

    private PrometheusExporter New(PrometheusOptions options) => new(options, meter => ReferenceEquals(meter, _meter));

    private string Text()
    {
        var output = new ArrayBufferWriter<byte>();
        _exporter.WriteTo(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
