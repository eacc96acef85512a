using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Host;

/// <summary>What the two topics about load have in common: the periods that are asked for and the series that are answered.</summary>
internal static class Consumption
{
    /// <summary>Most points of one series in an answer: the answer stays under half a megabyte.</summary>
    public const int MaxPoints = 4_000;

    /// <summary>The periods, both of which must be given, and how many points are wanted.</summary>
    public static Contract Periods(Contract contract) => contract
        .Required("cpuPeriod", ContractType.String)
        .Required("memoryPeriod", ContractType.String)
        .Optional("max_points", ContractType.Number);

    /// <summary>Adds both series to an answer.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="request">Its request.</param>
    /// <param name="now">The present in Unix seconds.</param>
    /// <param name="query">Reads a stretch of time with at most so many points.</param>
    public static void AddSeries(
        JsonObject answer, TopicRequest request, long now, Func<Period, int, (IReadOnlyList<Sample> Samples, int Resolution)> query)
    {
        var maxPoints = (int)Math.Clamp(request.Number("max_points") ?? MaxPoints, 1, MaxPoints);
        var cpu = query(Period.Parse(request.Text("cpuPeriod")!, now, out _), maxPoints);
        answer["cpu_usage"] = Series(cpu.Samples, "cpu", s => s.Cpu, cpu.Resolution);
        answer["cpu_resolution_s"] = cpu.Resolution;
        var memory = query(Period.Parse(request.Text("memoryPeriod")!, now, out _), maxPoints);
        answer["memory_usage"] = Series(memory.Samples, "memory", s => s.Memory, memory.Resolution);
        answer["memory_resolution_s"] = memory.Resolution;
    }

    private static JsonArray Series(IReadOnlyList<Sample> samples, string name, Func<Sample, Spread> value, int resolution)
    {
        var points = new JsonArray();
        foreach (var sample in samples)
        {
            var spread = value(sample);
            var point = new JsonObject { ["timestamp"] = sample.At, [name] = (long)spread.Mean };
            // Gathered points would hide peaks.
            if (resolution > LoadHistory.FinestResolution) (point["min"], point["max"]) = ((long)spread.Min, (long)spread.Max);
            points.Add((JsonNode)point);
        }
        return points;
    }
}
