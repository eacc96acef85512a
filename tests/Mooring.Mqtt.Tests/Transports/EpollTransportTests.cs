using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Mooring.Mqtt.Broker.Transports.Epoll;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Transports;

[SupportedOSPlatform("linux")]
public sealed class EpollTransportTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void PortOnWhichAnotherListens_IsRefused()
    {
        using var server = new FrameServer();

        var refused = Assert.Throws<SocketException>(() => new FrameServer(endPoint: server.Address));

        Assert.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
    }

    [Fact]
    public async Task FrameSentByteByByte_IsHandedOverWholeOnce()
    {
        using var server = new FrameServer();
        using var client = server.Connect();
        var frame = Frame(40, 7);

        foreach (var b in frame) await SendAllAsync(client, new[] { b });

        Assert.Equal(frame, await ReadAsync(client, frame.Length));
        Assert.Equal(1, server.Frames);
    }

    [Fact]
    public async Task ManyFramesInOneSegment_AreAllHandledAndAnsweredInOrder()
    {
        using var server = new FrameServer();
        using var client = server.Connect();
        var all = Enumerable.Range(0, 1000).SelectMany(i => Frame(20, (byte)i)).ToArray();

        await SendAllAsync(client, all);

        Assert.Equal(all, await ReadAsync(client, all.Length));
        Assert.Equal(1000, server.Frames);
    }

    [Fact]
    public async Task FrameLargerThanTheSharedBuffer_IsAssembled()
    {
        using var server = new FrameServer(new EpollOptions { ReadBytes = 1024 });
        using var client = server.Connect();
        var frame = Frame(1_000_000, 3);
        var sending = SendAllAsync(client, frame);

        Assert.Equal(frame, await ReadAsync(client, frame.Length));
        await sending;
    }

    [Fact]
    public async Task PeerThatDoesNotRead_LosesNothingAndHoldsUpNobody()
    {
        using var server = new FrameServer(new EpollOptions { UnsentBytesToStopReading = 64 << 20 });
        using var stalled = server.Connect();
        using var lively = server.Connect();
        const int count = 40;
        var large = Frame(1_000_000, 9);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < count; i++) await SendAllAsync(stalled, large);
        }, TestContext.Current.CancellationToken);

        var small = Frame(10, 1);
        await SendAllAsync(lively, small);
        Assert.Equal(small, await ReadAsync(lively, small.Length));

        // Now the stalled one's socket is full.
        await Eventually.TrueAsync(() => server.MostUnsent >= 2 * large.Length, "bytes that wait in the server", TestContext.Current.CancellationToken);
        for (var i = 0; i < count; i++) Assert.Equal(large, await ReadAsync(stalled, large.Length));
        await sending.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.True(await server.Drains.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task PeerThatOnlyAsks_IsNotReadUntilItTakesItsAnswers()
    {
        const int bound = 256 * 1024;
        using var server = new FrameServer(new EpollOptions { UnsentBytesToStopReading = bound });
        using var client = server.Connect();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var frame = Frame(60_000, 4);
        var sent = 0;
        var asking = Task.Run(
            async () =>
            {
                for (; ; sent++) await SendUntilAsync(client, frame, stop.Token);
            },
            stop.Token);

        // The kernel's buffers on both sides fill, then the server's up to the bound, and then sending stands still.
        await Eventually.TrueAsync(() => server.MostUnsent >= bound, "the server's bound", stop.Token);
        // That nothing more goes can only be seen by waiting for a while.
        var before = -1;
        while (before != Volatile.Read(ref sent))
        {
            before = sent;
            await Task.WhenAny(asking, Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, stop.Token));
        }
        Assert.False(asking.IsCompleted);
        Assert.InRange(server.MostUnsent, bound, bound + 64 * 1024 * 2 + frame.Length);

        for (var i = 0; i < before; i++) Assert.Equal(frame, await ReadAsync(client, frame.Length));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task ExceptionInTheHandler_EndsThatConnectionOnly()
    {
        using var server = new FrameServer();
        using var bad = server.Connect();
        using var good = server.Connect();
        await EchoAsync(good);

        await SendAllAsync(bad, FrameServer.FaultRequest);

        Assert.Equal(0, await ReceiveAsync(bad, new byte[1]));
        Assert.Equal("fault", server.Fault?.Message);
        await EchoAsync(good);
    }

    [Fact]
    public async Task CloseByServer_SendsTheLastBytesFirstEvenWhenInputIsUnread()
    {
        using var server = new FrameServer();
        using var client = server.Connect();
        await SendAllAsync(client, FrameServer.CloseRequest.Concat(Frame(50_000, 1)).ToArray());

        Assert.Equal(FrameServer.CloseRequest, await ReadAsync(client, FrameServer.CloseRequest.Length));
        Assert.Equal(0, await ReceiveAsync(client, new byte[1]));
        client.Shutdown(SocketShutdown.Send);
        await server.Closed(1);
    }

    [Fact]
    public async Task PeerThatNeverCloses_IsCutAfterTheDeadline()
    {
        using var server = new FrameServer(new EpollOptions { CloseWithin = TimeSpan.FromMilliseconds(200) });
        using var client = server.Connect();
        await SendAllAsync(client, FrameServer.CloseRequest);

        await server.Closed(1);
    }

    [Fact]
    public async Task FinishedPeer_HasAllItsFramesHandledBeforeTheEnd()
    {
        using var server = new FrameServer();
        using var client = server.Connect();
        var all = Enumerable.Range(0, 500).SelectMany(i => Frame(100, (byte)i)).ToArray();
        await SendAllAsync(client, all);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal(all, await ReadAsync(client, all.Length));
        await server.Closed(1);
        Assert.Equal(500, server.Frames);
    }

    [Fact]
    public async Task ConnectionAboveTheLimit_IsClosedAndTheNextAfterOneLeftIsServed()
    {
        using var server = new FrameServer(new EpollOptions { MaximumConnections = 1 });
        var first = server.Connect();
        await EchoAsync(first);
        using (var second = server.Connect()) Assert.Equal(0, await ReceiveAsync(second, new byte[1]));

        first.Dispose();
        await server.Closed(1);
        using var third = server.Connect();
        await EchoAsync(third);
    }

    [Fact]
    public async Task PausedConnection_KeepsItsInputUntilResumed()
    {
        using var server = new FrameServer();
        using var client = server.Connect();
        var rest = Frame(30, 2);
        await SendAllAsync(client, FrameServer.PauseRequest.Concat(rest).ToArray());
        var handler = await server.Paused();
        Assert.Equal(1, server.Frames);

        handler.Resume();

        Assert.Equal(FrameServer.PauseRequest.Concat(rest), await ReadAsync(client, FrameServer.PauseRequest.Length + rest.Length));
    }

    [Fact]
    public async Task Stop_ClosesListenerAndConnectionsAfterTheirOutput()
    {
        var server = new FrameServer(new EpollOptions { Threads = 2 });
        var clients = Enumerable.Range(0, 10).Select(_ => server.Connect()).ToArray();
        foreach (var client in clients) await EchoAsync(client);

        var stopping = Task.Run(server.Dispose, TestContext.Current.CancellationToken);
        foreach (var client in clients)
        {
            Assert.Equal(0, await ReceiveAsync(client, new byte[1]));
            client.Dispose();
        }
        await stopping.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Throws<SocketException>(() => server.Connect());
        Assert.Equal(0, server.Open);
    }

    [Fact]
    public async Task ThousandConnectionsClosingAtOnce_AreAllForgotten()
    {
        using var server = new FrameServer(new EpollOptions { Threads = 2 });
        var clients = Enumerable.Range(0, 1000).Select(_ => server.Connect()).ToArray();
        await EchoAsync(clients[^1]);
        foreach (var client in clients) client.Dispose();

        await server.Closed(1000);
        using var next = server.Connect();
        await EchoAsync(next);
    }

    private static byte[] Frame(int bodyLength, byte fill)
    {
        var frame = new byte[4 + bodyLength];
        BitConverter.TryWriteBytes(frame, bodyLength);
        frame.AsSpan(4).Fill(fill);
        return frame;
    }

    private static async Task EchoAsync(Socket client)
    {
        var frame = Frame(5, 5);
        await SendAllAsync(client, frame);
        Assert.Equal(frame, await ReadAsync(client, frame.Length));
    }

    private static Task SendAllAsync(Socket client, byte[] bytes) =>
        SendUntilAsync(client, bytes, TestContext.Current.CancellationToken);

    private static async Task SendUntilAsync(Socket client, byte[] bytes, CancellationToken cancellationToken)
    {
        for (var sent = 0; sent < bytes.Length;) sent += await client.SendAsync(bytes.AsMemory(sent), cancellationToken);
    }

    private static async Task<byte[]> ReadAsync(Socket client, int length)
    {
        var bytes = new byte[length];
        for (var read = 0; read < length;)
        {
            var received = await ReceiveAsync(client, bytes.AsMemory(read));
            Assert.True(received > 0, $"The connection ended after {read} of {length} bytes.");
            read += received;
        }
        return bytes;
    }

    private static async Task<int> ReceiveAsync(Socket client, Memory<byte> target)
    {
        using var limit = new CancellationTokenSource(Patience);
        return await client.ReceiveAsync(target, limit.Token);
    }

    /// <summary>Echoes frames of a 4-byte length and a body; two bodies are orders.</summary>
    private sealed class FrameServer : IDisposable
    {
        internal static readonly byte[] CloseRequest = [5, 0, 0, 0, .. "close"u8];
        internal static readonly byte[] FaultRequest = [5, 0, 0, 0, .. "fault"u8];
        internal static readonly byte[] PauseRequest = [5, 0, 0, 0, .. "pause"u8];

        private readonly EpollTransport _transport;
        private readonly SemaphoreSlim _closed = new(0);
        private readonly ConcurrentQueue<Handler> _paused = new();
        private readonly SemaphoreSlim _pauses = new(0);
        private int _frames;

        internal FrameServer(EpollOptions? options = null, IPEndPoint? endPoint = null)
        {
            _transport = new EpollTransport(
                endPoint ?? new IPEndPoint(IPAddress.Loopback, 0), options ?? new EpollOptions(), TimeProvider.System,
                connection => new Handler(this, connection), (_, exception) => Fault = exception);
            _transport.Start();
        }

        internal Exception? Fault { get; private set; }

        internal int MostUnsent { get; private set; }

        internal int Frames => _frames;

        internal SemaphoreSlim Drains { get; } = new(0);

        internal int Open => _transport.Connections;

        internal IPEndPoint Address => _transport.LocalEndPoint;

        internal Socket Connect()
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            client.Connect(Address);
            return client;
        }

        internal async Task Closed(int count)
        {
            for (var i = 0; i < count; i++) Assert.True(await _closed.WaitAsync(Patience, TestContext.Current.CancellationToken), $"Only {i} of {count} were closed.");
        }

        internal async Task<Handler> Paused()
        {
            Assert.True(await _pauses.WaitAsync(Patience, TestContext.Current.CancellationToken));
            Assert.True(_paused.TryDequeue(out var handler));
            return handler;
        }

        public void Dispose() => _transport.Dispose();

        internal sealed class Handler(FrameServer server, EpollConnection connection) : IEpollHandler
        {
            internal void Resume() => connection.Pause(false);

            public int OnReceived(ReadOnlyMemory<byte> bytes)
            {
                var used = 0;
                while (!connection.IsPaused && bytes.Length - used >= 4)
                {
                    var length = 4 + BitConverter.ToInt32(bytes.Span[used..]);
                    if (bytes.Length - used < length) break;
                    var frame = bytes.Span.Slice(used, length);
                    used += length;
                    Interlocked.Increment(ref server._frames);
                    if (frame.SequenceEqual(FaultRequest)) throw new InvalidOperationException("fault");
                    connection.Write(frame);
                    connection.RequestFlush();
                    server.MostUnsent = Math.Max(server.MostUnsent, connection.UnsentBytes);
                    if (frame.SequenceEqual(CloseRequest))
                    {
                        connection.Close();
                        return bytes.Length;
                    }
                    if (!frame.SequenceEqual(PauseRequest)) continue;
                    connection.Pause(true);
                    server._paused.Enqueue(this);
                    server._pauses.Release();
                }
                return used;
            }

            public void OnDrained() => server.Drains.Release();

            public void OnClosed() => server._closed.Release();
        }
    }
}
