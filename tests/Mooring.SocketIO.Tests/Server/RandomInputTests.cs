using Microsoft.AspNetCore.Http;
using Mooring.SocketIO.Codec;
using Mooring.SocketIO.Connections;
using Mooring.SocketIO.Server;
using Mooring.SocketIO.Tests.Codec;
using Mooring.Testing;

namespace Mooring.SocketIO.Tests.Server;

/// <summary>Ten thousand frames that nobody would send, into a session whose carrier is the test: each is handled, or ends it with a reason.</summary>
public sealed class RandomInputTests : MooringTest
{
    private const int Inputs = 10_000;

    [Theory]
    [InlineData(1)]
    [InlineData(20261121)]
    public async Task Frames_AreHandledOrEndTheSession(int seed)
    {
        var handled = 0;
        using var server = new SocketIOServer(new SocketIOServerOptions(), TimeProvider.System, LoggerFactory);
        server.Root.OnOther(async (socket, e) =>
        {
            handled++;
            for (var i = 0; i < e.Count; i++) _ = e.GetElement(i);
            await e.AckAsync(new SocketIOArguments().Add(e.Count));
        });
        var random = new Random(seed);
        Vector[] vectors = [.. Vector.Packets.Where(v => v.Expected[0] != '!')];
        EngineSession? session = null;
        for (var i = 0; i < Inputs; i++)
        {
            if (session is null or { IsClosed: true })
            {
                session = NewSession(server);
                await session.TextAsync(PooledFrame.CopyOf("40"u8));
            }
            await FeedAsync(session, random, vectors[random.Next(vectors.Length)].Bytes);
            // What is answered is taken, as a client would.
            if (session.Outbox.Take() is { } batch) session.Outbox.Return(batch);
        }
        session?.Dispose();
        Assert.True(handled > Inputs / 100, $"only {handled} of the inputs were events");
    }

    private static async Task FeedAsync(EngineSession session, Random random, byte[] vector)
    {
        try
        {
            var bytes = random.Next(4) switch
            {
                0 => Noise(random),
                1 => vector,
                _ => Mutate(random, vector),
            };
            if (random.Next(8) == 0) await session.BinaryAsync(PooledFrame.CopyOf(bytes));
            else await session.TextAsync(PooledFrame.CopyOf([(byte)'4', .. bytes]));
        }
        catch (SocketIOProtocolException e)
        {
            session.Close(e);
        }
    }

    private static byte[] Noise(Random random)
    {
        var bytes = new byte[random.Next(64)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Mutate(Random random, byte[] vector)
    {
        var bytes = vector.ToArray();
        if (bytes.Length > 0) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return random.Next(2) == 0 ? bytes : bytes[..random.Next(bytes.Length + 1)];
    }

    private EngineSession NewSession(SocketIOServer server)
    {
        var options = new SocketIOServerOptions();
        var logger = LoggerFactory.CreateLogger("test");
        var session = new EngineSession(
            "sid", new SocketIOHandshake(new DefaultHttpContext(), TimeProvider.System.GetUtcNow()), options, TimeProvider.System, logger, _ => { });
        session.Receiver = new ServerConnection(server, session, options, TimeProvider.System, logger);
        return session;
    }
}
