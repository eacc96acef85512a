using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Mooring.Chat.Lines;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>Reading a mailbox: by asking again and again, or as a stream.</summary>
internal sealed partial class ChatApi
{
    private const int PollSecondsMax = 60;

    // Proxies give up on streams in which nothing moves for a minute.
    private static readonly TimeSpan StreamHeartbeat = TimeSpan.FromSeconds(25);

    private async ValueTask<ApiAnswer> Poll(ApiRequest request)
    {
        if (!_mailboxes.TryFind(request.Query("session"), out var session)) return ApiAnswer.Refuse(404, "there is no such session", "no-such-client");
        var seconds = Number(request.Query("timeout"), 0);
        if (seconds is < 0 or > PollSecondsMax) return ApiAnswer.Refuse(422, $"timeout is 0 to {PollSecondsMax} seconds", "bad-argument");
        session.Touch();
        if (seconds > 0) await WaitAsync(session, TimeSpan.FromSeconds(seconds), request.Aborted).ConfigureAwait(false);
        session.Touch();
        var (entries, dropped) = session.Mailbox!.Take();
        return ApiAnswer.Ok(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("messages");
            foreach (var entry in entries) json.WriteRawValue(entry.Json, skipInputValidation: true);
            json.WriteEndArray();
            json.WriteNumber("dropped", dropped);
            json.WriteEndObject();
        });
    }

    private async ValueTask<ApiAnswer> Stream(ApiRequest request)
    {
        if (!_mailboxes.TryFind(request.Query("session"), out var session) || session.Id != Normalized(request.Route("id")))
            return ApiAnswer.Refuse(404, "there is no such session", "no-such-client");
        var response = request.Context.Response;
        request.Context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        var output = response.BodyWriter;
        var place = request.Context.Request.Headers["Last-Event-ID"].ToString();
        Replay(session, place.Length > 0 ? place : request.Query("last_event_id") ?? "", output);
        output.Write(": open\n\n"u8);
        await output.FlushAsync(request.Aborted).ConfigureAwait(false);
        while (!request.Aborted.IsCancellationRequested)
        {
            session.Touch();
            await WaitAsync(session, StreamHeartbeat, request.Aborted).ConfigureAwait(false);
            var (entries, _) = session.Mailbox!.Take();
            foreach (var entry in entries) WriteEvent(output, entry.Room, entry.Sequence, entry.Json);
            if (entries.Count == 0) output.Write(": still here\n\n"u8);
            if (session.IsClosing) output.Write("event: close\ndata: {\"type\":\"close\",\"status\":\"closed\"}\n\n"u8);
            await output.FlushAsync(request.Aborted).ConfigureAwait(false);
            if (session.IsClosing) break;
        }
        return ApiAnswer.Sent;
    }

    /// <summary>What came in a client's only room after the event that it saw last.</summary>
    private void Replay(Session session, string place, IBufferWriter<byte> output)
    {
        if (place.Length == 0 || session.Memberships is not [var member]) return;
        var (epoch, since) = Resumption.ParsePlace(place);
        if (since < 0) return;
        // What is in the mailbox is in the history too; it must not come twice.
        session.Mailbox!.Take();
        foreach (var kept in member.Room.History(epoch == hub.Epoch ? since : 0).Messages)
            WriteEvent(output, member.Room.Name, kept.Sequence, Room.EncodeJson(member.Room.ToMessage(kept)));
    }

    private void WriteEvent(IBufferWriter<byte> output, string room, long sequence, byte[] json)
    {
        output.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {hub.Epoch:x16}:{sequence}\nevent: {room}\ndata: ")));
        output.Write(json);
        output.Write("\n\n"u8);
    }

    private async Task WaitAsync(Session session, TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            await session.Mailbox!.ArrivedAsync().WaitAsync(atMost, hub.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Nothing came; the answer says so.
        }
    }
}
