using System.Globalization;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Host;

/// <summary>The limits of a device and the history of its load. The answer bears no status when it is good, as it never did.</summary>
internal sealed class GetConsumptionDevice(AgentState state, EngineClient engine, LoadRecorder loads, TimeProvider time) : ITopic
{
    public string Name => "get_consumption_device";

    public Contract Contract { get; } = Consumption.Periods(Contract.DeviceRequest);

    public async Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var device = request.DeviceId;
        if (state.Devices.Find(device) is null) return Answers.UnknownDevice(device);
        var limits = (await engine.InspectContainerAsync(device, cancellationToken).ConfigureAwait(false))?.HostConfig;
        var answer = new JsonObject { ["device_id"] = device, ["memory"] = MemoryOf(limits), ["cpu"] = CpuOf(limits) };
        Consumption.AddSeries(answer, request, time.GetUtcNow().ToUnixTimeSeconds(), (period, max) => loads.QueryDevice(device, period, max));
        return answer;
    }

    internal static string MemoryOf(HostSettings? limits) => limits switch
    {
        null => "N/A",
        { Memory: <= 0 } => "unlimited",
        _ => string.Create(CultureInfo.InvariantCulture, $"{limits.Memory / (1024 * 1024)} MB"),
    };

    internal static string CpuOf(HostSettings? limits) => limits switch
    {
        null => "N/A",
        { NanoCpus: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{limits.NanoCpus / 1e9:0.0} vCPU"),
        { CpuQuota: > 0, CpuPeriod: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{limits.CpuQuota / (double)limits.CpuPeriod:0.0} vCPU"),
        _ => "unlimited",
    };
}
