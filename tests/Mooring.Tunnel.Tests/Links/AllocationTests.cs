using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Tunnel.Tests.Links;

/// <summary>A frame of data costs no memory, at neither end. Counted on this thread, so exact.</summary>
public sealed class AllocationTests
{
    private const int Rounds = 1000;

    private static long Allocated(Action once)
    {
        for (var i = 0; i < 100; i++) once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Rounds; i++) once();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

#if !DEBUG // Without optimisation every call of an async method allocates.
    [Theory]
    [InlineData(true, Capabilities.All)]
    [InlineData(false, Capabilities.All)]
    [InlineData(true, Capabilities.None)]
    [InlineData(false, Capabilities.None)]
    public void SendingAFrame_AllocatesNothing(bool isClient, object capabilities)
    {
        var link = new FrameLink(new WebSocketLink(Stream.Null, isClient, new LinkLimits(), TimeProvider.System));
        link.Agree(ProtocolVersion.Three, (Capabilities)capabilities);
        var payload = new byte[16 * 1024];
        Assert.Equal(0, Allocated(() =>
        {
            link.EnqueueData(7, payload);
            // What Flush has a worker of the thread pool do, here, where it is counted.
            ((IThreadPoolWorkItem)link.Link).Execute();
        }));
    }
#endif

    [Fact]
    public void ReceivingAFrame_AllocatesNothing()
    {
        using var input = new LinkInput(new LinkLimits(), isMasked: true);
        var payload = new byte[16 * 1024];
        Span<byte> raw = stackalloc byte[RawFrame.HeaderBytesMax];
        raw = raw[..RawFrame.WriteHeader(raw, 7)];
        Span<byte> head = stackalloc byte[WebSocketFraming.HeaderBytesMax];
        head = head[..WebSocketFraming.WriteHeader(head, WebSocketOpcode.Binary, raw.Length + payload.Length, 0)];
        byte[] frame = [.. head, .. raw, .. payload];
        var received = 0L;
        Assert.Equal(0, Allocated(() =>
        {
            for (var left = frame.AsMemory(); !left.IsEmpty;)
            {
                var free = input.Free;
                var part = left[..Math.Min(free.Length, left.Length)];
                part.CopyTo(free);
                input.Received(part.Length);
                left = left[part.Length..];
                while (input.TryRead(out _, out var message)) received += FrameReader.Read(message).Bytes.Length;
            }
        }));
        Assert.Equal((Rounds + 100L) * payload.Length, received);
    }

    [Fact]
    public void CarryingCredit_AllocatesNothing()
    {
        var credit = new SendCredit();
        credit.Reset(1000);
        var taken = 0;
        Assert.Equal(0, Allocated(() =>
        {
            if (credit.TryTake(1000)) taken += 1000;
            var waiting = credit.TakeAsync(10);
            credit.Add(1010);
            taken += waiting.GetAwaiter().GetResult();
        }));
        Assert.Equal((Rounds + 100) * 1010, taken);
    }
}
