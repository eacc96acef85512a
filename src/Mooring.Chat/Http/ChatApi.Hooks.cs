using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Mooring.Chat.Protocol;

namespace Mooring.Chat.Http;

/// <summary>Incoming hooks: other systems that can send a text to an address, and nothing else.</summary>
internal sealed partial class ChatApi
{
    private static readonly IReadOnlyList<ApiField> HookFields = [new ApiField("text", IsRequired: true)];

    private async ValueTask<ApiAnswer> ReceiveHook(ApiRequest request)
    {
        if (hub.Access.FindHook(request.Route("token")) is not { HookRoom: { } name } hook) return ApiAnswer.Refuse(404, "there is no such hook");
        if (!hub.TryFindRoom(name, out var room)) return ApiOutcome.NoSuchRoom(name);
        var http = request.Context.Request;
        string text;
        if (http.HasJsonContentType())
        {
            var body = await ApiBody.ReadAsync(http, HookFields, request.Aborted).ConfigureAwait(false);
            if (body.Faults.Count > 0) return ApiWriter.Invalid(body.Faults);
            text = body["text"] ?? "";
        }
        else
        {
            var bytes = await ReadAllAsync(http, request.Aborted).ConfigureAwait(false);
            if (!ChatText.IsValid(bytes)) return ApiOutcome.Refuse(ChatError.BadArgument, "the text is not UTF-8");
            text = Encoding.UTF8.GetString(bytes);
        }
        if (CheckText(text) is { } badText) return badText;
        var utf8 = Encoding.UTF8.GetBytes(text);
        var outcome = room.Publish(null, null, hook.Name, Encoding.UTF8.GetBytes(hook.Name), utf8, ChatText.IsPlain(utf8), out var receipt);
        return outcome.IsDone ? Sent(text, room, receipt) : ApiOutcome.Refuse(outcome);
    }

    // The server's limit of a request's body ends one that is too large.
    private static async Task<byte[]> ReadAllAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await request.BodyReader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (result.IsCompleted)
            {
                var bytes = result.Buffer.ToArray();
                request.BodyReader.AdvanceTo(result.Buffer.End);
                return bytes;
            }
            request.BodyReader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }
}
