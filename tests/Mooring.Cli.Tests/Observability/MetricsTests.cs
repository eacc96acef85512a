using System.Text.Json;
using System.Text.RegularExpressions;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Observability;

/// <summary>The metrics of the real program, and the dashboard that reads them.</summary>
public sealed partial class MetricsTests : MooringTest
{
    /// <summary>Words of a name that promise a unit, and the unit that the name must then end in.</summary>
    private static readonly (string Word, string Unit)[] Units =
    [
        ("duration", "seconds"), ("time", "seconds"), ("delay", "seconds"), ("latency", "seconds"), ("size", "bytes"), ("memory", "bytes"),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-metrics-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Every_metric_has_a_type_a_help_and_its_unit_and_stands_there_once()
    {
        var page = await ScrapeAsync();
        Assert.Empty(page.Strange);
        Assert.Empty(page.Twice);
        Assert.Empty(page.Series.GroupBy(series => series, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.Empty(page.Series.Select(series => page.FamilyOf(series.Split('{')[0])).Where(name => !page.Types.ContainsKey(name)).Distinct());
        Assert.DoesNotContain(page.Types.Keys, name => string.IsNullOrWhiteSpace(page.Helps.GetValueOrDefault(name)));
        foreach (var (name, type) in page.Types)
        {
            Assert.Contains(type, new[] { "counter", "gauge", "histogram" });
            Assert.Equal(type == "counter", name.EndsWith("_total", StringComparison.Ordinal));
            if (type == "histogram") Assert.Matches("_(seconds|bytes)$", name);
            Assert.DoesNotMatch("_(milliseconds|microseconds|kilobytes|megabytes|percent)(_total)?$", name);
            foreach (var (word, unit) in Units)
                if (name.Split('_').Contains(word)) Assert.Matches($"_{unit}(_total)?$", name);
        }
        foreach (var system in new[] { "fleet", "edge", "tunnel", "chat", "mqtt_broker" })
            Assert.Contains(page.Types.Keys, name => name.StartsWith($"mooring_{system}_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_query_of_the_dashboard_names_metrics_that_there_are()
    {
        var page = await ScrapeAsync();
        using var dashboard = JsonDocument.Parse(await File.ReadAllBytesAsync(RepositoryRoot.Combine("deploy/grafana/mooring.json"), TestTimeout));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        var queries = panels.Where(panel => panel.GetProperty("type").GetString() != "row").Select(panel => panel.GetProperty("targets").EnumerateArray()
            .Select(target => target.GetProperty("expr").GetString()!).ToList()).ToList();
        Assert.All(queries, Assert.NotEmpty);
        foreach (var query in queries.SelectMany(query => query))
        {
            var names = MetricName().Matches(query).Select(match => match.Value).ToList();
            Assert.NotEmpty(names);
            Assert.All(names, name => Assert.True(page.Has(name), $"'{query}': there is no metric {name}"));
            // A rate is taken of what only grows, and of nothing else.
            foreach (var name in names)
                Assert.Equal(query.Contains("rate(", StringComparison.Ordinal), page.Types[page.FamilyOf(name)] != "gauge" && name != "mooring_metrics_refused_total");
        }
    }

    private async Task<MetricsPage> ScrapeAsync()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--demo", "--in-memory"));
        using var http = UpRun.Client();
        var address = new Uri(up.Console + "/metrics");
        // The first request makes the metrics of requests themselves.
        await http.GetStringAsync(address, TestTimeout);
        var page = MetricsPage.Read(await http.GetStringAsync(address, TestTimeout));
        await up.StopAsync(TestTimeout);
        return page;
    }

    /// <summary>A word in front of a selector.</summary>
    [GeneratedRegex(@"[a-z][a-z0-9_]*(?=\{)")]
    private static partial Regex MetricName();
}
