using System.Diagnostics;
using Mooring.Kernel.Tracing;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Tracing;

public sealed class TraceSpanTests
{
    [Fact]
    public void NobodyListens_CostsNoMemory()
    {
        using var source = new ActivitySource("Mooring.Test.Silent");
        Step(source);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) Step(source);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Span_HasTheParentItWasTold_AndLeavesTheCallersFlowAlone()
    {
        using var source = new ActivitySource("Mooring.Test.Told");
        using var spans = new SpanCollector(source.Name);
        using var around = new Activity("around").Start();
        var parent = new TraceContext(SpanCollector.NewTrace());
        var span = TraceSpan.Start(source, "step", ActivityKind.Consumer, parent).With("what", 7);
        Assert.Same(around, Activity.Current);
        Assert.True(span.IsRecorded);
        await Task.Run(() =>
        {
            span.Fail("broken");
            span.Dispose();
        }, TestContext.Current.CancellationToken);
        Assert.Same(around, Activity.Current);
        var ended = await spans.WhenAsync(parent.Value.TraceId, "step", TestContext.Current.CancellationToken);
        Assert.Equal(parent.Value.SpanId, ended.ParentSpanId);
        Assert.Equal(ended.Context, span.Context!.Value);
        Assert.Equal(7, ended.GetTagItem("what"));
        Assert.Equal((ActivityStatusCode.Error, "broken"), (ended.Status, ended.StatusDescription));
    }

    [Fact]
    public void SpanWithoutParent_BeginsATraceOfItsOwn()
    {
        using var source = new ActivitySource("Mooring.Test.Root");
        using var spans = new SpanCollector(source.Name);
        using var around = new Activity("around").Start();
        using var span = TraceSpan.Start(source, "step", ActivityKind.Server);
        Assert.NotEqual(around.TraceId, span.Context!.Value.TraceId);
    }

    private static void Step(ActivitySource source)
    {
        using var span = TraceSpan.Start(source, "step", ActivityKind.Server);
        span.Fail("nobody hears it");
    }
}
