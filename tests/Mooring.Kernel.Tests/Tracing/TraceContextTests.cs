using System.Diagnostics;
using Mooring.Kernel.Tracing;

namespace Mooring.Kernel.Tests.Tracing;

public sealed class TraceContextTests
{
    private const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    [Fact]
    public void Header_IsReadAndWritten()
    {
        var context = TraceContext.Parse(Parent, "vendor=1");
        Assert.NotNull(context);
        Assert.Equal(Parent, context.ToString());
        Assert.Equal("vendor=1", context.Value.TraceState);
        Assert.True(context.Value.IsRemote);
    }

    [Fact]
    public void Bytes_AreReadAsText() =>
        Assert.Equal(TraceContext.Parse(Parent, "vendor=1"), TraceContext.Parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"u8, "vendor=1"u8));

    [Fact]
    public void TraceThatIsNotRecorded_StaysSo() =>
        Assert.EndsWith("-00", TraceContext.Parse(Parent[..^1] + "0")!.ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra")]
    public void WhatIsNoHeader_IsNoTrace(string parent) => Assert.Null(TraceContext.Parse(parent));

    [Fact]
    public void StateThatIsTooLong_IsLeftOut() => Assert.Null(TraceContext.Parse(Parent, new string('a', 513))!.Value.TraceState);

    [Fact]
    public void Current_IsTheCallersSpan()
    {
        Activity.Current = null;
        Assert.Null(TraceContext.Current);
        using var around = new Activity("around").Start();
        Assert.Equal(around.Context, TraceContext.Current!.Value);
    }
}
