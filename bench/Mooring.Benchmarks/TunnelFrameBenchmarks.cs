using BenchmarkDotNet.Attributes;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Benchmarks;

/// <summary>One frame of data out of a link, and one into it: what both ends of a tunnel do for each piece of a body. Neither may allocate.</summary>
[MemoryDiagnoser]
public class TunnelFrameBenchmarks
{
    private const int StreamId = 4711;

    private readonly LinkInput _input = new(new LinkLimits(), isMasked: false);
    private FrameLink _client = null!;
    private FrameLink _server = null!;
    private byte[] _payload = [];
    private byte[] _frame = [];

    [Params(100, 1024, 16 * 1024)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _client = Link(isClient: true);
        _server = Link(isClient: false);
        _payload = new byte[Bytes];
        Span<byte> head = stackalloc byte[RawFrame.HeaderBytesMax + WebSocketFraming.HeaderBytesMax];
        Span<byte> raw = stackalloc byte[RawFrame.HeaderBytesMax];
        raw = raw[..RawFrame.WriteHeader(raw, StreamId)];
        head = head[..WebSocketFraming.WriteHeader(head, WebSocketOpcode.Binary, raw.Length + Bytes, null)];
        _frame = [.. head, .. raw, .. _payload];
    }

    /// <summary>Client to server: masked (RFC 6455 5.3).</summary>
    [Benchmark]
    public void SendFromClient() => Send(_client);

    [Benchmark]
    public void SendFromServer() => Send(_server);

    [Benchmark]
    public int Receive()
    {
        var received = 0;
        for (var left = _frame.AsMemory(); !left.IsEmpty;)
        {
            var free = _input.Free;
            var part = left[..Math.Min(free.Length, left.Length)];
            part.CopyTo(free);
            _input.Received(part.Length);
            left = left[part.Length..];
            while (_input.TryRead(out _, out var message)) received += FrameReader.Read(message).Bytes.Length;
        }
        return received;
    }

    private void Send(FrameLink link)
    {
        link.EnqueueData(StreamId, _payload);
        link.Link.Flush();
    }

    private static FrameLink Link(bool isClient)
    {
        var link = new FrameLink(new WebSocketLink(Stream.Null, isClient, new LinkLimits(), TimeProvider.System));
        link.Agree(ProtocolVersion.Three, Capabilities.All);
        return link;
    }
}
