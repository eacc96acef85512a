using System.Net;
using System.Text;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.Http;

namespace Mooring.Tunnel.Client.Streams;

/// <summary>One request to an application that speaks HTTP/2 without TLS, such as a gRPC server: both bodies at the same time, then trailers.</summary>
internal sealed class Http2Exchange : ClientStream, IOutletOwner
{
    private const int BufferBytes = 32 * 1024;

    private readonly CancellationTokenSource _ended = new();
    private readonly StreamOutlet _body;
    private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpRequestMessage _request;
    private readonly bool _isRefused;
    private int _status;

    public Http2Exchange(ClientSession session, ClientTunnel tunnel, in FrameView open)
        : base(session, tunnel, open)
    {
        _body = new StreamOutlet(this, Frames.Waiting);
        _isRefused = tunnel.Definition.Auth is { } auth && tunnel.Grant is not { IsAuthEnforced: true } && !BasicCredentials.Match(open.Headers, auth);
        _request = new HttpRequestMessage(new HttpMethod(Encoding.ASCII.GetString(RequestHead.Method(open))), $"http://{tunnel.Pool.Origin.Authority}{FrameView.Text(open.Path)}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = open.HasBody ? new OutletContent(this) : null,
        };
        var headers = new HeaderReader(open.Headers);
        while (headers.Read())
        {
            if (HttpField.IsHopByHop(headers.Name) || headers.Is("host"u8) || headers.IsVerb) continue;
            var (name, value) = (FrameView.Text(headers.Name), FrameView.Text(headers.Value));
            if (!_request.Headers.TryAddWithoutValidation(name, value)) _request.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        // gRPC servers insist on it; it concerns this connection only.
        _request.Headers.TryAddWithoutValidation("TE", "trailers");
        if (!open.HasBody) _sent.TrySetResult();
    }

    public override void OnData(in FrameView frame)
    {
        if (frame.Credit > 0) Credit?.Add(frame.Credit);
        if (!frame.Bytes.IsEmpty && !_body.TryAppend(frame.Bytes)) OnReset("the application reads too slowly");
        if (frame.Framing == DataFraming.Last || frame.IsEnd) _body.Complete();
    }

    public override void OnBatchEnd() => _body.Kick();

    public override void OnClose(in FrameView frame) => OnReset("the visitor is gone");

    public override void OnReset(string reason)
    {
        if (!TryEnd()) return;
        _body.Abandon();
        _sent.TrySetResult();
        _ended.Cancel();
    }

    void IOutletOwner.OnWritten(int payloadBytes)
    {
        Tunnel.Received(payloadBytes);
        Ledger.Consumed(payloadBytes);
    }

    void IOutletOwner.OnDrained() => _sent.TrySetResult();

    void IOutletOwner.OnOutletBroken() => _sent.TrySetResult();

    protected override async Task RunAsync()
    {
        Tunnel.Count();
        try
        {
            if (_isRefused) SendHead(401, block => block.Add("WWW-Authenticate", "Basic realm=\"retunnel\""));
            else await ExchangeAsync();
            EndWithClose();
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            if (_status != 0) EndWithReset("the application broke its answer off");
            else
            {
                SendHead(502, block => block.Add("Content-Length", "0"));
                EndWithClose();
            }
        }
        finally
        {
            TryEnd();
            _body.Abandon();
            _sent.TrySetResult();
            _request.Dispose();
            Tunnel.Observed?.Invoke(new ObservedRequest(
                _request.Method.Method, _request.RequestUri!.PathAndQuery, _status, Session.Time.GetElapsedTime(Started), RequestId));
        }
    }

    private async Task ExchangeAsync()
    {
        using var response = await Tunnel.Http.SendAsync(_request, HttpCompletionOption.ResponseHeadersRead, _ended.Token);
        SendHead((int)response.StatusCode, block =>
        {
            foreach (var (name, values) in response.Headers.NonValidated) Add(block, name, values);
            foreach (var (name, values) in response.Content.Headers.NonValidated) Add(block, name, values);
        });
        Frames.Link.Flush();
        await using var body = await response.Content.ReadAsStreamAsync(_ended.Token);
        var buffer = new byte[BufferBytes];
        while (await body.ReadAsync(buffer, _ended.Token) is var count and > 0)
        {
            Tunnel.Sent(count);
            if (!await Frames.SendAsync(Id, Credit, buffer.AsMemory(0, count))) return;
            Frames.Link.Flush();
        }
        if (!Frames.Has(Capabilities.Trailers)) return;
        var trailers = new HeaderBlock();
        foreach (var (name, values) in response.TrailingHeaders.NonValidated) Add(trailers, name, values);
        if (trailers.Count == 0) return;
        var scratch = FrameLink.Scratch();
        ResponseHead.WriteTrailers(scratch, trailers.Encoded);
        Credit?.Charge(scratch.WrittenCount);
        Frames.EnqueueHead(Id, scratch.WrittenSpan);
    }

    private static void Add(HeaderBlock block, string name, System.Net.Http.Headers.HeaderStringValues values)
    {
        foreach (var value in values) block.Add(name, value);
    }

    private void SendHead(int status, Action<HeaderBlock> fill)
    {
        _status = status;
        if (IsEnded) return;
        var block = new HeaderBlock();
        fill(block);
        var scratch = FrameLink.Scratch();
        ResponseHead.Write(scratch, status, block.Encoded);
        Credit?.Charge(scratch.WrittenCount);
        Frames.EnqueueHead(Id, scratch.WrittenSpan);
    }

    /// <summary>The visitor's body, written as it comes.</summary>
    private sealed class OutletContent(Http2Exchange exchange) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            // The headers wait for the first bytes of the body otherwise, and who waits for the answer before he speaks waits for ever.
            await stream.FlushAsync();
            exchange._body.Open(stream);
            await exchange._sent.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
