using Microsoft.AspNetCore.Http;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Http;

/// <summary>Refusals of the rooms, as HTTP says them.</summary>
internal static class ApiOutcome
{
    internal static ApiAnswer Refuse(in Outcome outcome) => Refuse(outcome.Error, outcome.Text);

    internal static ApiAnswer Refuse(ChatError error, string text) => ApiAnswer.Refuse(StatusOf(error), text, error.Code()) with
    {
        RetryAfterSeconds = error is ChatError.RateLimited ? 1 : error is ChatError.ServerFull or ChatError.ShuttingDown or ChatError.TooManyRooms ? 5 : null,
    };

    internal static ApiAnswer NoSuchRoom(string room) => Refuse(ChatError.NoSuchRoom, $"Chat room '{room}' not found");

    internal static ApiAnswer NoSuchClient(string client) => Refuse(ChatError.NoSuchClient, $"Client '{client}' not found");

    internal static int StatusOf(ChatError error) => error switch
    {
        ChatError.NoSuchRoom or ChatError.NoSuchClient => StatusCodes.Status404NotFound,
        ChatError.RoomExists or ChatError.IdInUse or ChatError.TargetSuspended => StatusCodes.Status409Conflict,
        ChatError.MessageTooLong => StatusCodes.Status413PayloadTooLarge,
        ChatError.BadArgument or ChatError.MissingArgument or ChatError.ReservedId => StatusCodes.Status422UnprocessableEntity,
        ChatError.RateLimited => StatusCodes.Status429TooManyRequests,
        ChatError.ServerFull or ChatError.ShuttingDown or ChatError.TooManyRooms => StatusCodes.Status503ServiceUnavailable,
        ChatError.AuthRequired or ChatError.AuthFailed => StatusCodes.Status401Unauthorized,
        _ => StatusCodes.Status403Forbidden,
    };
}
