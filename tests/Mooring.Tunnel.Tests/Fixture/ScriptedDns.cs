using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Mooring.Tunnel.Tests.Fixture;

/// <summary>A name server that knows what a test told it, or says something that is no answer.</summary>
internal sealed class ScriptedDns : IDisposable
{
    private const ushort Cname = 5;
    private const ushort Txt = 16;

    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));

    public ScriptedDns() => _ = ServeAsync();

    public IPEndPoint EndPoint => (IPEndPoint)_socket.Client.LocalEndPoint!;

    /// <summary>Texts by name.</summary>
    public Dictionary<string, string> Texts { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Aliases by name.</summary>
    public Dictionary<string, string> Aliases { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Spoils each answer; null leaves them.</summary>
    public Func<byte[], byte[]>? Spoil { get; set; }

    public void Dispose() => _socket.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var asked = await _socket.ReceiveAsync();
                var answer = Answer(asked.Buffer);
                // One for somebody else comes first: it is not to be taken for ours.
                await _socket.SendAsync((byte[])[(byte)~answer[0], .. answer[1..]], asked.RemoteEndPoint);
                await _socket.SendAsync(Spoil?.Invoke(answer) ?? answer, asked.RemoteEndPoint);
            }
        }
        catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    private byte[] Answer(byte[] question)
    {
        var (at, name) = (12, new StringBuilder());
        while (question[at] != 0)
        {
            name.Append(name.Length > 0 ? "." : "").Append(Encoding.ASCII.GetString(question, at + 1, question[at]));
            at += 1 + question[at];
        }
        var type = BinaryPrimitives.ReadUInt16BigEndian(question.AsSpan(at + 1));
        var record = type switch
        {
            // In two strings, which belong together.
            Txt when Texts.TryGetValue(name.ToString(), out var text) => [3, .. Encoding.ASCII.GetBytes(text[..3]), (byte)(text.Length - 3), .. Encoding.ASCII.GetBytes(text[3..])],
            Cname when Aliases.TryGetValue(name.ToString(), out var alias) => [.. alias.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0],
            _ => Array.Empty<byte>(),
        };
        byte[] answer = [.. question];
        answer[2] |= 0x80;
        if (record.Length == 0) return answer;
        answer[7] = 1;
        // The name is a pointer to that of the question.
        return [.. answer, 0xC0, 12, 0, (byte)type, 0, 1, 0, 0, 0, 60, 0, (byte)record.Length, .. record];
    }
}
