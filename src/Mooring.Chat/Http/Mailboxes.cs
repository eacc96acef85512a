using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>The sessions of REST clients by the secret that they were given. As many as there are clients at most.</summary>
internal sealed class Mailboxes
{
    private readonly ConcurrentDictionary<string, Session> _byToken = new(StringComparer.Ordinal);

    internal void Add(Session session)
    {
        foreach (var (token, other) in _byToken)
            if (other.IsClosing) _byToken.TryRemove(token, out _);
        _byToken[session.NewResumeToken()] = session;
    }

    internal bool TryFind(string? token, [NotNullWhen(true)] out Session? session)
    {
        session = null;
        return token is not null && _byToken.TryGetValue(token, out session) && !session.IsClosing;
    }
}
