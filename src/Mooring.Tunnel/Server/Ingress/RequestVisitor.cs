using System.Text;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>A visitor who came with an HTTP request, whatever becomes of it: how it is taken in, and how the client is told of it.</summary>
internal abstract class RequestVisitor(StreamSession session, TunnelBinding binding, IngressRequest request) : VisitorStream(session, binding)
{
    /// <summary>Methods, addresses and request ids are shorter.</summary>
    private const int WordBytesMax = 64;

    protected IngressRequest Request => request;

    /// <summary>Carries the request to its end.</summary>
    public async Task RunAsync()
    {
        if (!Session.TryAdd(this))
        {
            await ErrorPages.WriteAsync(request, 503, "too many requests are under way in this tunnel", retryAfter: 1);
            return;
        }
        try
        {
            await ServeAsync();
        }
        finally
        {
            TryEnd();
            Session.Forget(this);
        }
    }

    protected abstract Task ServeAsync();

    /// <summary>Tells the visitor that the account has used its day up.</summary>
    protected Task RefuseForTheDayAsync() => ErrorPages.WriteAsync(request, 429, AccountUsage.DayIsOver, Session.Usage.SecondsLeftOfDay);

    /// <summary>Tells the client. Version 1 has the verb among the headers, and the whole body here.</summary>
    protected void Open(StreamMode mode, bool hasBody = false, ReadOnlySpan<byte> wholeBody = default)
    {
        var isOne = Frames.Version == ProtocolVersion.One;
        var isMeta = Frames.Has(Capabilities.Metadata);
        // A WebSocket over HTTP/2 comes with another verb, which the application does not know.
        var verb = mode == StreamMode.WebSocket ? "GET" : request.Request.Method;
        var headers = ForwardedRequest.Write(request, request.IsTrusted, forWebSocket: mode == StreamMode.WebSocket);
        if (isOne) headers.Add("Method", verb);
        Span<byte> method = stackalloc byte[WordBytesMax];
        Span<byte> address = stackalloc byte[WordBytesMax];
        Span<byte> requestId = stackalloc byte[WordBytesMax];
        Session.Open(new StreamOpening
        {
            StreamId = Id,
            TunnelId = Binding.NameUtf8,
            Mode = mode,
            Path = Encoding.UTF8.GetBytes(request.Target),
            Headers = isOne ? HeaderMap.Of(headers) : headers.Encoded,
            Body = wholeBody,
            Method = isOne ? default : method[..Ascii(verb, method)],
            HasBody = hasBody,
            Window = Window,
            ClientAddress = isMeta ? address[..Ascii(request.RemoteText, address)] : default,
            IsTls = isMeta && request.IsTls,
            RequestId = isMeta ? requestId[..Ascii(request.RequestId, requestId)] : default,
        });
    }

    private static int Ascii(string text, Span<byte> target) => text.Length <= target.Length ? Encoding.ASCII.GetBytes(text, target) : 0;
}
