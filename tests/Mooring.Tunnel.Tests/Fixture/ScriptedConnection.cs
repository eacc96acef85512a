using System.Buffers;
using System.Net.WebSockets;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Tests.Fixture;

/// <summary>One connection of a client to a <see cref="ScriptedServer"/>.</summary>
internal sealed class ScriptedConnection(WebSocket socket, int number, string authorization)
{
    public int Number => number;

    public string Authorization => authorization;

    /// <summary>The next message; null when the client closed.</summary>
    public async Task<byte[]?> ReceiveAsync()
    {
        var message = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
            if (part.MessageType == WebSocketMessageType.Close) return null;
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage) return message.ToArray();
        }
    }

    public Task SendAsync(byte[] message) => socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);

    public Task SendAsync(Action<ArrayBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return SendAsync(output.WrittenSpan.ToArray());
    }

    public Task SendAsync(ControlMessage message) => SendAsync(output => ControlCodec.Write(output, message));

    public Task CloseAsync(int code) => socket.CloseOutputAsync((WebSocketCloseStatus)code, "", CancellationToken.None);

    /// <summary>The next frame of generation B.</summary>
    public async Task<HeardFrame> HearAsync() => HeardFrame.Of(await ReceiveAsync() ?? throw new IOException("the client closed"));

    /// <summary>The next message of generation A of a kind; what is between is passed over.</summary>
    public async Task<T> HearAsync<T>()
        where T : ControlMessage
    {
        while (true)
        {
            if (ControlCodec.Read(await ReceiveAsync() ?? throw new IOException("the client closed")) is T wanted) return wanted;
        }
    }

    /// <summary>Reads until the client closes.</summary>
    public async Task UntilClosedAsync()
    {
        while (await ReceiveAsync() is not null)
        {
        }
    }

    /// <summary>Lets a client of generation B in and grants every tunnel that it asks for, up to <paramref name="tunnels"/>.</summary>
    public async Task<List<HeardFrame>> WelcomeAsync(int version, int tunnels = 1, string name = "given")
    {
        var heard = new List<HeardFrame> { await HearAsync() };
        await SendAsync(output =>
        {
            if (version == 1) FrameWriter.WriteHeartbeatAck(output);
            else FrameWriter.WriteWelcome(output, version, Capabilities.None);
        });
        for (var i = 0; i < tunnels; i++)
        {
            var asked = await HearAsync();
            heard.Add(asked);
            var given = asked.Subdomain.Length > 0 ? asked.Subdomain : name;
            await SendAsync(output => FrameWriter.WriteTunnelCreated(output, new TunnelGrant($"https://{given}.example.org", given)));
        }
        return heard;
    }
}
