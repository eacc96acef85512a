using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Mooring.Chat.Access;
using Mooring.Chat.Lines;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>
/// Opens WebSockets (RFC 6455). The frames are our own business, not the framework's: a message is framed once in the room's log, and
/// all members send the same bytes.
/// </summary>
internal sealed class WebSocketEndpoint(ChatHub hub, ApiDispatcher dispatcher, Mailboxes mailboxes)
{
    internal const string Path = "/ws/{client}/{room}";
    internal const string TextProtocol = "chat.v1.text";
    internal const string JsonProtocol = "chat.v1.json";

    private const int ReadBytes = 4096;

    // RFC 6455, 1.3.
    private const string KeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    internal async Task HandleAsync(HttpContext context)
    {
        var request = new SocketRequest(context);
        if (Check(context, request, out var protocol, out var account) is { } refusal)
        {
            await ApiWriter.WriteAsync(context, refusal).ConfigureAwait(false);
            return;
        }
        // Who may come in is decided before the connection changes its protocol: a refusal is an HTTP answer that every client understands.
        var later = new LateOutput();
        var isJson = protocol == JsonProtocol;
        var isDeflated = hub.Options.WebSocketCompression && context.Request.Headers.SecWebSocketExtensions.Any(header => PerMessageDeflate.IsOffered(header ?? ""));
        var session = new Session(
            hub, SessionTransport.WebSocket, FormatOf(isJson, isDeflated), SocketVoice.Instance, later,
            context.Connection.RemoteIpAddress?.ToString() ?? "")
        {
            IsEncrypted = context.Request.IsHttps,
            Account = account,
            Capabilities = Capabilities.Ping | (isJson ? Capabilities.Events : Capabilities.None),
        };
        var client = new SocketClient(hub, session, isJson, isDeflated);
        if (Enter(session, request, client) is { } entryRefusal)
        {
            await ApiWriter.WriteAsync(context, entryRefusal).ConfigureAwait(false);
            return;
        }
        try
        {
            var stream = await UpgradeAsync(context, protocol, isDeflated).ConfigureAwait(false);
            await using var owned = stream.ConfigureAwait(false);
            var output = new StreamOutput(stream, context.Abort) { Session = session };
            later.Open(output);
            hub.Outbox.Flush();
            await ServeAsync(stream, client, output).ConfigureAwait(false);
        }
        catch (Exception exception) when (StreamOutput.IsTransportFault(exception) || exception is TimeoutException)
        {
            // The peer went away; its rooms are told below.
        }
        finally
        {
            hub.Gone(session);
            hub.Outbox.Flush();
        }
    }

    private ApiAnswer? Check(HttpContext context, in SocketRequest request, out string? protocol, out ChatAccount? account)
    {
        protocol = null;
        account = null;
        var headers = context.Request.Headers;
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true }
            || !headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase) || headers.SecWebSocketKey.Count != 1)
            return ApiAnswer.Refuse(StatusCodes.Status426UpgradeRequired, "this is a WebSocket");
        if (headers.SecWebSocketVersion != "13")
        {
            context.Response.Headers.SecWebSocketVersion = "13";
            return ApiAnswer.Refuse(StatusCodes.Status426UpgradeRequired, "version 13 is spoken");
        }
        if (headers.Origin is [{ Length: > 0 } origin] && !dispatcher.IsAllowedOrigin(context.Request, origin))
            return ApiAnswer.Refuse(StatusCodes.Status403Forbidden, "pages of other sites are not allowed here", ChatError.Forbidden.Code());
        if (!ChatNames.IsName(request.Client) || !ChatNames.IsRoom(request.Room))
            return ApiOutcome.Refuse(ChatError.BadArgument, "names are 1 to 64 characters without blanks, colons and controls");
        var outcome = dispatcher.Authenticate(context, out account);
        if (!outcome.IsDone) return ApiOutcome.Refuse(outcome);
        if (hub.Access.IsRequired && account is null) return ApiOutcome.Refuse(ChatError.AuthRequired, "present a token: ?token=TOKEN");
        foreach (var offered in headers.SecWebSocketProtocol.SelectMany(header => (header ?? "").Split(',', StringSplitOptions.TrimEntries)))
            if (protocol is null && offered is TextProtocol or JsonProtocol) protocol ??= offered;
        return null;
    }

    private static MessageFormat FormatOf(bool isJson, bool isDeflated) => isDeflated
        ? isJson ? MessageFormat.DeflatedJsonFrame : MessageFormat.DeflatedTextFrame
        : isJson ? MessageFormat.JsonFrame : MessageFormat.TextFrame;

    private ApiAnswer? Enter(Session session, SocketRequest request, SocketClient speaker)
    {
        var outcome = hub.TryOpen(session);
        if (!outcome.IsDone) return ApiOutcome.Refuse(outcome);
        IReadOnlyList<Mailbox.Entry> waiting = [];
        if (mailboxes.TryFind(request.SessionToken, out var mailbox) && mailbox.Id == request.Client) waiting = mailbox.Mailbox!.Take().Entries;
        var (epoch, since) = Resumption.ParsePlace(request.Since);
        var isOther = epoch is { } named && named != hub.Epoch;
        var entrance = request.MayCreate ? Entrance.JoinOrCreate : Entrance.Join;
        outcome = hub.Enter(session, new EntryRequest(request.Room, request.Client, entrance, member =>
        {
            speaker.SayRegistered(member);
            foreach (var entry in waiting) session.Enqueue(WebSocketFrame.Encode(WebSocketFrame.Text, entry.Json));
        })
        {
            ResumeToken = request.SessionToken,
            Password = request.Password,
            Since = request.Since.Length == 0 ? -1 : isOther ? 0 : since,
            Truncated = isTruncated => speaker.SayReplay(request.Room, isTruncated || isOther),
        });
        if (outcome.IsDone) return null;
        hub.Gone(session);
        return ApiOutcome.Refuse(outcome);
    }

    private static async Task<Stream> UpgradeAsync(HttpContext context, string? protocol, bool isDeflated)
    {
        var key = context.Request.Headers.SecWebSocketKey.ToString();
        var headers = context.Response.Headers;
        headers.Upgrade = "websocket";
        headers.Connection = "Upgrade";
#pragma warning disable CA5350 // RFC 6455 demands SHA-1 here; nothing is kept secret by it.
        headers.SecWebSocketAccept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + KeySuffix)));
#pragma warning restore CA5350
        if (protocol is not null) headers.SecWebSocketProtocol = protocol;
        if (isDeflated) headers.SecWebSocketExtensions = PerMessageDeflate.Accepted;
        return await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync().ConfigureAwait(false);
    }

    private async Task ServeAsync(Stream stream, SocketClient client, StreamOutput output)
    {
        var reading = ReadAsync(stream, client);
        await Task.WhenAny(reading, output.Finished).ConfigureAwait(false);
        if (!client.Session.IsClosing) return;
        await output.Finished.WaitAsync(hub.Options.Limits.CloseTimeout, hub.Time).ConfigureAwait(false);
    }

    private async Task ReadAsync(Stream stream, SocketClient client)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        var filled = 0;
        try
        {
            while (!client.Session.IsClosing)
            {
                var read = await stream.ReadAsync(buffer.AsMemory(filled)).ConfigureAwait(false);
                if (read == 0) return;
                filled += read;
                var consumed = client.OnReceived(buffer.AsSpan(0, filled));
                hub.Outbox.Flush();
                buffer.AsSpan(consumed, filled - consumed).CopyTo(buffer);
                filled -= consumed;
                if (filled == buffer.Length) Grow(ref buffer, filled);
            }
        }
        catch (Exception exception) when (StreamOutput.IsTransportFault(exception))
        {
            // The peer went away without a word.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // A frame that is too large has been refused before the buffer gets that long.
    private static void Grow(ref byte[] buffer, int filled)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, filled).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    /// <summary>Keeps a session's bytes back until its connection is one of WebSocket.</summary>
    private sealed class LateOutput : ISessionOutput
    {
        private readonly Lock _gate = new();
        private StreamOutput? _output;
        private bool _isAwaited;

        public int TryWrite(ReadOnlyMemory<byte> bytes) => Volatile.Read(ref _output)?.TryWrite(bytes) ?? 0;

        public void ResumeWhenWritable()
        {
            StreamOutput? output;
            lock (_gate)
            {
                output = _output;
                _isAwaited = output is null;
            }
            output?.ResumeWhenWritable();
        }

        public void Finish() => _output?.Finish();

        public void Abort() => _output?.Abort();

        internal void Open(StreamOutput output)
        {
            bool isAwaited;
            lock (_gate)
            {
                Volatile.Write(ref _output, output);
                isAwaited = _isAwaited;
            }
            if (isAwaited) output.ResumeWhenWritable();
        }
    }
}

/// <summary>What the address of a WebSocket says.</summary>
internal readonly struct SocketRequest(HttpContext context)
{
    internal string Client { get; } = Name(context, "client");

    internal string Room { get; } = Name(context, "room");

    internal string? SessionToken { get; } = context.Request.Query["session"];

    internal string? Password { get; } = context.Request.Query["password"];

    internal string Since { get; } = context.Request.Query["since"].ToString();

    /// <summary>A room that is missing is created unless that is not wanted, for the classic server took any name here.</summary>
    internal bool MayCreate { get; } = context.Request.Query["create"] != "0";

    private static string Name(HttpContext context, string part) => RequestPath.Part(context, WebSocketEndpoint.Path, part).Normalize(NormalizationForm.FormC);
}
