using System.Text;

namespace Mooring.Chat.Protocol;

/// <summary>Something that happened to a room or in it.</summary>
internal enum ChatEvent
{
    Join,
    Leave,
    Pause,
    Resume,
    Created,
    Removed,
    Topic,
}

/// <summary>How the server speaks to a client besides messages. Null means that the client's protocol has no words for it.</summary>
internal abstract class Voice
{
    /// <summary>The last words.</summary>
    internal abstract byte[]? Farewell(string reason, int closeCode, string text);

    internal abstract byte[]? Event(ChatEvent happened, string room, string client, string text, long unixMilliseconds);

    internal abstract byte[]? Ping(string token);

    /// <summary>Silence after which a client is asked whether it is there.</summary>
    internal virtual long PingAfterMilliseconds => 30_000;

    /// <summary>Time to answer.</summary>
    internal virtual long PongWithinMilliseconds => 30_000;

    /// <summary>Pings without an answer after which a client is closed.</summary>
    internal virtual int UnansweredPingsMax => 2;

    /// <summary>The name of an event on the wire.</summary>
    protected static string Name(ChatEvent happened) => happened.ToString().ToLowerInvariant();
}

/// <summary>Lines: see docs/wire/chat.md.</summary>
internal sealed class LineVoice(string lineEnd) : Voice
{
    internal override byte[] Farewell(string reason, int closeCode, string text) => Line(text.Length == 0 ? $"BYE {reason}" : $"BYE {reason} {text}");

    internal override byte[] Event(ChatEvent happened, string room, string client, string text, long unixMilliseconds) =>
        Line($"EVENT {Name(happened)} {room}:{client} {text}".TrimEnd());

    internal override byte[] Ping(string token) => Line($"PING {token}");

    private byte[] Line(string text) => Encoding.UTF8.GetBytes(text + lineEnd);
}

/// <summary>For clients whose protocol has no such words: those of the classic server, and mailboxes.</summary>
internal sealed class SilentVoice : Voice
{
    internal static readonly SilentVoice Instance = new();

    internal override byte[]? Farewell(string reason, int closeCode, string text) => null;

    internal override byte[]? Event(ChatEvent happened, string room, string client, string text, long unixMilliseconds) => null;

    internal override byte[]? Ping(string token) => null;
}
