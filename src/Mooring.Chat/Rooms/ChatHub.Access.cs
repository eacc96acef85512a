using Microsoft.Extensions.Logging;
using Mooring.Chat.Access;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Rooms;

/// <summary>Tokens of clients and passwords of rooms; who guesses is stopped.</summary>
internal sealed partial class ChatHub
{
    private readonly FailedAttempts _failedAttempts = new();

    /// <summary>Finds the account that a token opens, or says why there is none.</summary>
    internal Outcome Authenticate(string token, string remote, out ChatAccount? account)
    {
        account = null;
        if (!_failedAttempts.MayTry(remote, SteadyNow, out var wait)) return TooManyFailures(wait);
        account = Access.Authenticate(token);
        if (account is not null) return Outcome.Done;
        _failedAttempts.Add(remote, SteadyNow);
        LogWrongToken(remote);
        return new Outcome(ChatError.AuthFailed, "the token is not known");
    }

    /// <summary>Whether a word opens a room; any does, and none, where no password is wanted.</summary>
    internal Outcome CheckPassword(Room room, string? word, string remote)
    {
        if (room.Password is not { } password) return Outcome.Done;
        if (word is not null && !_failedAttempts.MayTry(remote, SteadyNow, out var wait)) return TooManyFailures(wait);
        if (password.IsOpenedBy(word)) return Outcome.Done;
        if (word is not null) _failedAttempts.Add(remote, SteadyNow);
        return new Outcome(ChatError.Forbidden, $"{room.Name} wants its password");
    }

    private static Outcome TooManyFailures(long wait) => Outcome.TooFast(wait, "too many wrong tokens and passwords came from there");

    [LoggerMessage(5011, LogLevel.Warning, "a wrong token came from {Remote}")]
    private partial void LogWrongToken(string remote);
}
