using System.Security.Cryptography;
using System.Text;
using Mooring.Tunnel.Client.Origin;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.Http;
using Mooring.Tunnel.Protocol.WebSocket;

namespace Mooring.Tunnel.Client.Streams;

/// <summary>A visitor's WebSocket: the application is asked first, and only what it accepts is accepted.</summary>
internal sealed class WebSocketExchange : ClientStream
{
    private readonly PooledBytes _head = new(0);
    private readonly Lock _gate = new();
    private readonly string _key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
    private readonly string _path;
    private readonly string? _malformed;
    private OriginConnection? _connection;
    private WebSocketRelay? _relay;
    private int _status;

    public WebSocketExchange(ClientSession session, ClientTunnel tunnel, in FrameView open)
        : base(session, tunnel, open)
    {
        _path = FrameView.Text(open.Path);
        try
        {
            if (tunnel.Definition.Auth is { } auth && tunnel.Grant is not { IsAuthEnforced: true } && !BasicCredentials.Match(open.Headers, auth))
                throw new TunnelProtocolException(TunnelProtocolError.Malformed, "Unauthorized");
            RequestHead.WriteUpgrade(open, tunnel.Definition.HostHeader, tunnel.Pool.Origin.Authority, _key, _head);
        }
        catch (TunnelProtocolException exception)
        {
            _malformed = exception.Message;
        }
    }

    public override void OnData(in FrameView frame)
    {
        if (frame.Credit > 0) Credit?.Add(frame.Credit);
        if (frame.Bytes.IsEmpty && frame.DataKind == DataKind.Bytes) return;
        if (_relay is { } relay && !relay.OnData(frame)) Fail("the application reads too slowly");
    }

    public override void OnBatchEnd() => _relay?.Kick();

    public override void OnClose(in FrameView frame)
    {
        if (!TryEnd()) return;
        CloseTowardsApplication(frame.CloseCode == 0 ? CloseCodes.Normal : frame.CloseCode, FrameView.Text(frame.Reason));
    }

    public override void OnReset(string reason)
    {
        if (TryEnd()) CloseTowardsApplication(CloseCodes.InternalError, reason);
    }

    protected override async Task RunAsync()
    {
        Tunnel.Count();
        try
        {
            if (_malformed is not null) Refuse(_malformed == "Unauthorized" ? 401 : 400, _malformed, []);
            else await ExchangeAsync();
        }
        catch (OriginException exception)
        {
            Refuse(502, exception.Message, []);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or TunnelProtocolException)
        {
            if (_status == 0) Refuse(502, "the application does not answer as a WebSocket", []);
            else EndWithReset("the application reset the connection");
        }
        finally
        {
            _connection?.Release();
            _head.Dispose();
            TryEnd();
            Tunnel.Observed?.Invoke(new ObservedRequest("WS", _path, _status, Session.Time.GetElapsedTime(Started), RequestId));
        }
    }

    private async Task ExchangeAsync()
    {
        _connection = await Tunnel.Pool.ConnectAsync(CancellationToken.None);
        if (IsEnded) return;
        await _connection.Stream.WriteAsync(_head.Memory);
        bool? isAccepted;
        while ((isAccepted = TryAnswer(_connection)) is null)
        {
            if (!await _connection.FillAsync()) throw new IOException("closed");
        }
        if (isAccepted is false || IsEnded) return;
        var ending = await _relay!.RunAsync(_connection.Stream, _connection.Unread);
        if (ending is { } closed) EndWithClose(closed.Code == 1005 ? 0 : closed.Code, closed.Reason.Length > 0 ? closed.Reason : null);
        else EndWithReset("the application closed the connection");
    }

    private bool? TryAnswer(OriginConnection connection)
    {
        if (!HttpResponseHead.TryRead(connection.Unread.Span, out var head, out var length)) return null;
        _status = head.Status;
        if (head.Status != 101)
        {
            Refuse(head.Status, $"the application answered {head.Status}", ResponseForwarding.Fields(head, Tunnel));
            return false;
        }
        string? accept = null, subprotocol = null;
        var fields = new HttpFieldLines(head.Fields);
        while (fields.Read())
        {
            if (HttpField.Is(fields.Name, "sec-websocket-accept"u8)) accept = Encoding.ASCII.GetString(fields.Value);
            else if (HttpField.Is(fields.Name, "sec-websocket-protocol"u8)) subprotocol = Encoding.ASCII.GetString(fields.Value);
        }
        if (accept != WebSocketFraming.Accept(_key)) throw new IOException("accepted another key");
        connection.Use(length);
        _relay = new WebSocketRelay(Frames, Id, Credit, Window, isClientOfPeer: true) { Counted = Count, Cut = connection.Dispose };
        if (Frames.Version < ProtocolVersion.Two) return true;
        var scratch = FrameLink.Scratch();
        ResponseHead.WriteAccepted(scratch, subprotocol);
        Credit?.Charge(scratch.WrittenCount);
        Frames.EnqueueHead(Id, scratch.WrittenSpan);
        Frames.Link.Flush();
        return true;
    }

    private void Count(int fromApplication, int toApplication)
    {
        Tunnel.Sent(fromApplication);
        Tunnel.Received(toApplication);
    }

    private void Refuse(int status, string reason, ReadOnlySpan<byte> fields)
    {
        _status = status;
        if (Frames.Version < ProtocolVersion.Two)
        {
            EndWithReset(reason);
            return;
        }
        var block = new HeaderBlock();
        var headers = new HeaderReader(fields);
        while (headers.Read())
        {
            if (!headers.Is("content-length"u8)) block.Add(headers.Name, headers.Value);
        }
        if (status == 401 && fields.IsEmpty) block.Add("WWW-Authenticate", "Basic realm=\"retunnel\"");
        if (!TryEnd()) return;
        var scratch = FrameLink.Scratch();
        ResponseHead.WriteRefused(scratch, status, reason, block.Encoded);
        Frames.EnqueueHead(Id, scratch.WrittenSpan);
        Frames.EnqueueClose(Id);
        Frames.Link.Flush();
    }

    private void CloseTowardsApplication(int code, string reason)
    {
        lock (_gate)
        {
            if (_relay is { } relay) relay.OnClose(code, reason);
            else _connection?.Dispose();
        }
    }

    private void Fail(string reason)
    {
        EndWithReset(reason);
        _connection?.Dispose();
    }
}
