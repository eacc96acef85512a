using System.Text;
using Mooring.Chat.Protocol;

namespace Mooring.Chat;

/// <summary>What the program that the server is a part of says and hears.</summary>
public sealed partial class ChatServer
{
    private string? _ownName;

    /// <summary>The name under which the program speaks; clients cannot have it. Null for none.</summary>
    public string? OwnName
    {
        get => _ownName;
        set
        {
            _ownName = value;
            if (_hub is { } hub) hub.OwnName = value;
        }
    }

    /// <summary>
    /// Told of each message that begins with a slash, after it was accepted. It is called on the path of messages: it must return at once.
    /// </summary>
    public Action<ChatRemark>? Heard { get; set; }

    /// <summary>Longest text of a message, in characters.</summary>
    public int MessageMax => Hub.Options.Limits.MessageScalarsMax;

    /// <summary>Opens a room unless it is there.</summary>
    /// <param name="room">Its name.</param>
    /// <param name="by">Who opens it.</param>
    /// <returns>Whether it is there.</returns>
    public bool TryOpenRoom(string room, string by) =>
        _hub is { IsDraining: false } hub && (hub.TryFindRoom(room, out _) || hub.CreateRoom(room, by).IsDone);

    /// <summary>Says something in a room, which is opened when it is not there.</summary>
    /// <param name="room">Where.</param>
    /// <param name="sender">Name that the room reads.</param>
    /// <param name="text">What; longer than <see cref="MessageMax"/> it is cut off.</param>
    /// <returns>False when it could not be said: the room is busy, or the server does not run.</returns>
    public bool TrySay(string room, string sender, string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        if (_hub is not { IsDraining: false } hub) return false;
        if (!TryOpenRoom(room, sender) || !hub.TryFindRoom(room, out var found)) return false;
        var utf8 = Encoding.UTF8.GetBytes(Cut(text, MessageMax));
        var outcome = found.Publish(null, null, sender, Encoding.UTF8.GetBytes(sender), utf8, ChatText.IsPlain(utf8), out _);
        hub.Outbox.Flush();
        return outcome.IsDone;
    }

    private static string Cut(string text, int scalars)
    {
        if (text.Length <= scalars) return text;
        var kept = new StringBuilder(scalars);
        foreach (var rune in text.EnumerateRunes().Take(scalars)) kept.Append(rune);
        return kept.ToString();
    }
}
