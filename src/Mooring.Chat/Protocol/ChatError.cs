namespace Mooring.Chat.Protocol;

/// <summary>Why a command is refused. The name in lower case with hyphens is the code on the wire.</summary>
internal enum ChatError
{
    None,
    UnknownCommand,
    BadArgument,
    MissingArgument,
    BadEncoding,
    LineTooLong,
    MessageTooLong,
    NotRegistered,
    NotMember,
    NotOwner,
    NoSuchRoom,
    NoSuchClient,
    RoomExists,
    ReservedRoom,
    ReservedId,
    IdInUse,
    ServerFull,
    TooManyRooms,
    RateLimited,
    Muted,
    Banned,
    RoomLocked,
    Forbidden,
    AuthRequired,
    AuthFailed,
    TargetSuspended,
    TargetBlocked,
    ShuttingDown,
    Internal,
}

internal static class ChatErrors
{
    private static readonly string[] Codes = [.. Enum.GetValues<ChatError>().Select(error => Hyphenated(error.ToString()))];

    internal static string Code(this ChatError error) => Codes[(int)error];

    private static string Hyphenated(string name) =>
        string.Concat(name.Select((letter, i) => i > 0 && char.IsUpper(letter) ? $"-{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));
}

/// <summary>What came of a command.</summary>
/// <param name="Error">Why it was refused; none when it was done.</param>
/// <param name="Text">For a person.</param>
/// <param name="WaitMilliseconds">When it may be tried again; 0 when that does not depend on time.</param>
internal readonly record struct Outcome(ChatError Error, string Text, long WaitMilliseconds = 0)
{
    internal static readonly Outcome Done = new(ChatError.None, "");

    /// <summary>Too much in too short a time. The wait is the first word, for programs.</summary>
    internal static Outcome TooFast(long waitMilliseconds, string why = "") =>
        new(ChatError.RateLimited, why.Length == 0 ? $"{waitMilliseconds} ms to wait" : $"{waitMilliseconds} ms to wait, {why}", waitMilliseconds);

    internal bool IsDone => Error == ChatError.None;
}
