using System.Diagnostics;
using Mooring.Edge.Hub.Agents;
using Mooring.Edge.Hub.Operations;
using Mooring.Kernel.Tracing;

namespace Mooring.Edge.Hub;

/// <summary>Spans of what agents are asked and told, on activity source <c>Mooring.Edge</c>. Agents know nothing of traces: theirs end at the answer.</summary>
internal static class HubTracing
{
    private static readonly ActivitySource Source = new("Mooring.Edge");

    /// <summary>A topic of an agent is called, until its answer; belongs to the REST request or the operation that asks.</summary>
    internal static TraceSpan BeginCall(string agent, string topic)
    {
        if (!Source.HasListeners()) return default;
        return TraceSpan.Start(Source, "edge call", ActivityKind.Client, TraceContext.Current)
            .With("mooring.edge.agent", agent).With("mooring.edge.topic", topic);
    }

    internal static void Describe(TraceSpan span, CallOutcome outcome)
    {
        if (!span.IsRecorded) return;
        span.With("mooring.edge.correlation", outcome.CorrelationId).With("mooring.edge.status", outcome.Status);
        if (outcome.Error is { } error) span.Fail(error);
    }

    /// <summary>An operation that an agent has accepted, until its end. What the hub asks meanwhile belongs to it, so it is the caller's flow that it changes.</summary>
    internal static Activity? StartOperation(HubOperation operation)
    {
        var activity = Source.StartActivity("edge operation");
        return activity?.SetTag("mooring.edge.agent", operation.Agent).SetTag("mooring.edge.topic", operation.Topic)
            .SetTag("mooring.edge.device", operation.Device).SetTag("mooring.edge.correlation", operation.Id);
    }

    internal static void Finish(Activity? activity, HubOperation operation)
    {
        if (operation.State == OperationState.Failed) activity?.SetStatus(ActivityStatusCode.Error, operation.Error);
    }
}
