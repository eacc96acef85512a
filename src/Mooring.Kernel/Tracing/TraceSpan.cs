using System.Diagnostics;

namespace Mooring.Kernel.Tracing;

/// <summary>
/// One step of a trace, or nothing when nobody listens; starting it allocates only then when somebody does. Its parent is told, not
/// taken from the caller's flow, and it leaves that flow alone: it may begin on one thread, wait in a queue, and end on another.
/// </summary>
public readonly struct TraceSpan : IDisposable
{
    private readonly Activity? _activity;

    private TraceSpan(Activity? activity) => _activity = activity;

    /// <summary>Whether what is said of it will be kept; tags that cost something are made only then.</summary>
    public bool IsRecorded => _activity is { IsAllDataRequested: true };

    /// <summary>The place of this step, for its children; null when there is no step.</summary>
    public TraceContext? Context => _activity is null ? null : new TraceContext(_activity.Context);

    /// <summary>Begins a step.</summary>
    /// <param name="source">Of which system.</param>
    /// <param name="name">What is done; one of few.</param>
    /// <param name="kind">Which side of a call or a message it is.</param>
    /// <param name="parent">What it belongs to; null begins a trace.</param>
    public static TraceSpan Start(ActivitySource source, string name, ActivityKind kind, TraceContext? parent = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (!source.HasListeners()) return default;
        var around = Activity.Current;
        Activity.Current = null;
        var activity = source.StartActivity(name, kind, parent?.Value ?? default);
        Activity.Current = around;
        return new TraceSpan(activity);
    }

    /// <summary>Says something about the step.</summary>
    /// <param name="name">What.</param>
    /// <param name="value">The value.</param>
    /// <returns>The step.</returns>
    public TraceSpan With(string name, object? value)
    {
        if (IsRecorded) _activity!.SetTag(name, value);
        return this;
    }

    /// <summary>The step did not succeed.</summary>
    /// <param name="reason">Why.</param>
    public void Fail(string reason) => _activity?.SetStatus(ActivityStatusCode.Error, reason);

    /// <summary>Ends the step.</summary>
    public void Dispose()
    {
        if (_activity is null) return;
        var around = Activity.Current;
        _activity.Stop();
        Activity.Current = around;
    }
}
