using Microsoft.AspNetCore.Http;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Http;

/// <summary>Refusals of the rooms, as HTTP says them.</summary>
internal static class ApiOutcome
{
    // Full and closing servers cannot know when that ends.
    private const int ComeBackSeconds = 5;

    internal static ApiAnswer Refuse(in Outcome outcome) => ApiAnswer.Refuse(StatusOf(outcome.Error), outcome.Text, outcome.Error.Code()) with
    {
        RetryAfterSeconds = outcome.Error switch
        {
            ChatError.RateLimited => (int)Math.Max((outcome.WaitMilliseconds + 999) / 1000, 1),
            ChatError.ServerFull or ChatError.ShuttingDown or ChatError.TooManyRooms => ComeBackSeconds,
            _ => null,
        },
    };

    internal static ApiAnswer Refuse(ChatError error, string text) => Refuse(new Outcome(error, text));

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
