using System.Diagnostics;
using System.Text;

namespace Mooring.Kernel.Tracing;

/// <summary>
/// A place in a trace, for what waits in a queue or travels over a wire: whoever handles it next continues there, on whatever thread.
/// </summary>
/// <param name="Value">The place.</param>
public sealed record TraceContext(ActivityContext Value)
{
    /// <summary>Name of the header or property with the place (W3C Trace Context).</summary>
    public const string ParentName = "traceparent";

    /// <summary>Name of the header or property with what the systems of the trace add to it.</summary>
    public const string StateName = "tracestate";

    /// <summary>Longest state that is carried; the standard asks for 512 characters at least.</summary>
    private const int StateMax = 512;

    /// <summary>The span of the caller's flow; null without one.</summary>
    public static TraceContext? Current => Activity.Current is { } activity ? new TraceContext(activity.Context) : null;

    /// <summary>Reads what another system sent; null when it is not well formed.</summary>
    /// <param name="parent">The value of <see cref="ParentName"/>.</param>
    /// <param name="state">The value of <see cref="StateName"/>; null or too long is none.</param>
    public static TraceContext? Parse(string? parent, string? state = null)
    {
        if (state?.Length > StateMax) state = null;
        return ActivityContext.TryParse(parent, state, isRemote: true, out var value) ? new TraceContext(value) : null;
    }

    /// <summary>As <see cref="Parse(string?, string?)"/>, from UTF-8.</summary>
    /// <param name="parent">The value of <see cref="ParentName"/>.</param>
    /// <param name="state">The value of <see cref="StateName"/>; empty or too long is none.</param>
    public static TraceContext? Parse(ReadOnlySpan<byte> parent, ReadOnlySpan<byte> state) =>
        Parse(Encoding.UTF8.GetString(parent), state.Length is 0 or > StateMax ? null : Encoding.UTF8.GetString(state));

    /// <summary>The value of <see cref="ParentName"/>: version, trace, span and flags.</summary>
    public override string ToString() =>
        $"00-{Value.TraceId.ToHexString()}-{Value.SpanId.ToHexString()}-{(Value.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? "01" : "00")}";
}
