using Mooring.Chat.Configuration;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;
using Mooring.Kernel.Proxying;

namespace Mooring.Chat.Lines;

/// <summary>
/// A client that speaks the line protocol, whatever carries its bytes. This part cuts the bytes into lines; the others do what the lines
/// say. Nothing waits: answers are queued, and leave when the transport flushes the hub's outbox.
/// </summary>
internal sealed partial class LineClient(LineProtocol protocol, Session session, bool isProxied)
{
    private readonly ChatHub _hub = protocol.Hub;
    private readonly LineReplies _replies = protocol.Replies;
    private bool _isFirstLine = true;
    private bool _awaitsProxyHeader = isProxied;
    private bool _isDiscarding;
    private int _withoutLineEnd;
    private int _errors;

    internal Session Session => session;

    /// <summary>False while so much waits for a client that does not read that its commands should wait too.</summary>
    internal bool MayRead => session.BlockedSince < 0 || session.PendingBytes <= _hub.Options.Limits.SendQueueBytes / 2;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Handles all whole lines; returns the bytes consumed. What is left is less than a longest line.</summary>
    internal int OnReceived(ReadOnlySpan<byte> bytes)
    {
        var consumed = 0;
        if (_awaitsProxyHeader && !TryTakeProxyHeader(bytes, out consumed)) return session.IsClosing ? bytes.Length : 0;
        while (!session.IsClosing)
        {
            var rest = bytes[consumed..];
            var end = rest.IndexOf((byte)'\n');
            if (end < 0)
            {
                consumed += HoldBack(rest);
                break;
            }
            consumed += end + 1;
            _withoutLineEnd = 0;
            if (_isDiscarding) _isDiscarding = false;
            else if (end > _hub.Options.Limits.EffectiveLineBytes) TellTooLong();
            else OnLine(rest[..end]);
        }
        if (session.IsClosing) return bytes.Length;
        session.LastActivity = _hub.SteadyNow;
        return consumed;
    }

    /// <summary>The peer has ended its sending side. What it left without a line end counts as a line.</summary>
    internal void OnInputEnded(ReadOnlySpan<byte> rest)
    {
        if (!_isDiscarding && !_awaitsProxyHeader && rest.Length > 0) OnLine(rest);
        if (session.IsClosing) return;
        // A script that only sends ends here; one that listens goes on. The line end tells us whether anybody is left to listen.
        if (_hub.Options.KeepHalfClosed && !session.IsEncrypted && session.Memberships.Length > 0) session.Enqueue("\n"u8.ToArray());
        else _hub.Close(session, CloseReason.Quit, "");
    }

    /// <summary>The connection may not come in.</summary>
    internal void Refuse(in Outcome outcome)
    {
        if (outcome.Error == ChatError.ShuttingDown)
        {
            _hub.Close(session, CloseReason.Shutdown, outcome.Text);
            return;
        }
        session.Enqueue(_replies.Error(new ErrorContext(ChatVerb.Unknown), outcome.Error, outcome.Text));
        _hub.Close(session, CloseReason.Full, "come back later");
    }

    private bool TryTakeProxyHeader(ReadOnlySpan<byte> bytes, out int length)
    {
        try
        {
            if (!ProxyHeaderReader.TryRead(bytes, out var header, out length)) return false;
            _awaitsProxyHeader = false;
            var outcome = _hub.TrySetRemote(session, header.Source?.Address.ToString() ?? session.Remote);
            if (outcome.IsDone) return true;
            Refuse(outcome);
        }
        catch (ProxyHeaderException exception)
        {
            length = 0;
            _hub.Close(session, CloseReason.Protocol, exception.Message);
        }
        return false;
    }

    /// <summary>Bytes of an unfinished line that need not be kept, since the line is too long anyway.</summary>
    private int HoldBack(ReadOnlySpan<byte> rest)
    {
        var lineMax = _hub.Options.Limits.EffectiveLineBytes;
        if (!_isDiscarding && rest.Length <= lineMax) return 0;
        if (!_isDiscarding) TellTooLong();
        _isDiscarding = true;
        _withoutLineEnd += rest.Length;
        if (_withoutLineEnd > Math.Max(ChatLimits.EndlessInputBytes, lineMax) && !session.IsClosing)
            _hub.Close(session, CloseReason.Protocol, "a line without end");
        return rest.Length;
    }

    private void TellTooLong() =>
        Error(new ErrorContext(ChatVerb.Unknown), ChatError.LineTooLong, $"a line may have {_hub.Options.Limits.EffectiveLineBytes} bytes");

    private void OnLine(ReadOnlySpan<byte> line)
    {
        if (_isFirstLine)
        {
            _isFirstLine = false;
            if (line.StartsWith(ByteOrderMark)) line = line[ByteOrderMark.Length..];
        }
        if (line is [.., (byte)'\r']) line = line[..^1];
        if (line.IsEmpty) return;
        var isPlain = ChatText.IsPlain(line);
        if (!isPlain && !ChatText.IsValid(line))
        {
            Error(new ErrorContext(ChatVerb.Unknown), ChatError.BadEncoding, "lines are UTF-8");
            _hub.Close(session, CloseReason.Protocol, "bad encoding");
            return;
        }
        var command = ChatLine.Parse(line);
        if (command.Verb == ChatVerb.Send) Send(command, isPlain);
        else Handle(command, line);
    }

    private void Ok(ChatVerb verb, string room, string client, string text = "")
    {
        _errors = 0;
        if (_replies.Ok(verb, room, client, text) is { } line) session.Enqueue(line);
    }

    private void Ok(ChatVerb verb, string text = "") => Ok(verb, ErrorContext.Any, session.IsRegistered ? session.Id : ErrorContext.Any, text);

    private void Error(in ErrorContext context, ChatError error, string text)
    {
        session.Enqueue(_replies.Error(context, error, text));
        if (++_errors >= _hub.Options.Limits.ProtocolErrorsMax) _hub.Close(session, CloseReason.Protocol, "too many errors");
    }

    private void Error(in ErrorContext context, in Outcome outcome) => Error(context, outcome.Error, outcome.Text);
}
