using System.Globalization;
using System.Text;

namespace Mooring.Bench.Chat;

/// <summary>How a server is spoken to: entering the room, sending into it, and what surrounds a payload on its way to a member.</summary>
internal abstract class ChatDialect
{
    /// <summary>The room of all loads.</summary>
    protected const string Room = "load";

    /// <summary>What a member sends first.</summary>
    internal abstract byte[] Enter(string client);

    /// <summary>What the sender sends first; a member where only members may send.</summary>
    internal virtual byte[] EnterAsSender(string client) => Enter(client);

    /// <summary>Whether the answer to that has come.</summary>
    internal abstract bool HasEntered(ReadOnlySpan<byte> received);

    /// <summary>Bytes in front of a payload when it is sent.</summary>
    internal abstract byte[] Before(string sender, int payloadBytes);

    /// <summary>Bytes behind a payload, sent and received.</summary>
    internal abstract byte[] After { get; }

    internal static ChatDialect Of(string peer) => peer switch
    {
        ChatBenchOptions.RedisPeer => new Redis(),
        ChatBenchOptions.NgircdPeer => new Irc(),
        ChatBenchOptions.SelfSocketPeer => new WebSocket(),
        _ => new Lines(),
    };

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);

    private sealed class Lines : ChatDialect
    {
        internal override byte[] After { get; } = "\n"u8.ToArray();

        internal override byte[] Enter(string client) => Ascii($"JOIN {Room}:{client}\n");

        internal override bool HasEntered(ReadOnlySpan<byte> received) => received.IndexOf("OK JOIN"u8) >= 0;

        internal override byte[] Before(string sender, int payloadBytes) => Ascii($"SEND {Room}:{sender} ");
    }

    private sealed class Redis : ChatDialect
    {
        internal override byte[] After { get; } = "\r\n"u8.ToArray();

        internal override byte[] Enter(string client) => Ascii($"*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\n{Room}\r\n");

        internal override byte[] EnterAsSender(string client) => Ascii("*1\r\n$4\r\nPING\r\n");

        internal override bool HasEntered(ReadOnlySpan<byte> received) => received.IndexOf(":1\r\n"u8) >= 0 || received.IndexOf("+PONG"u8) >= 0;

        internal override byte[] Before(string sender, int payloadBytes) => Ascii(string.Create(
            CultureInfo.InvariantCulture, $"*3\r\n$7\r\nPUBLISH\r\n$4\r\n{Room}\r\n${payloadBytes}\r\n"));
    }

    private sealed class Irc : ChatDialect
    {
        internal override byte[] After { get; } = "\r\n"u8.ToArray();

        internal override byte[] Enter(string client) => Ascii($"NICK {client}\r\nUSER {client} 0 * :load\r\nJOIN #{Room}\r\n");

        // 366 is the end of the names, the last answer to JOIN.
        internal override bool HasEntered(ReadOnlySpan<byte> received) => received.IndexOf(" 366 "u8) >= 0;

        internal override byte[] Before(string sender, int payloadBytes) => Ascii($"PRIVMSG #{Room} :");
    }

    private sealed class WebSocket : ChatDialect
    {
        internal override byte[] After { get; } = [];

        internal override byte[] Enter(string client) => Ascii(
            $"GET /ws/{client}/{Room} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");

        internal override bool HasEntered(ReadOnlySpan<byte> received) => received.IndexOf("\"registered\""u8) >= 0;

        // A final text frame of less than 126 bytes whose mask is zero.
        internal override byte[] Before(string sender, int payloadBytes) =>
            [0x81, (byte)(0x80 | ("SEND ".Length + payloadBytes)), 0, 0, 0, 0, .. "SEND "u8];
    }
}
