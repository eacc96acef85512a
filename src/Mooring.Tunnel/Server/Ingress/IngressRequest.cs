using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Mooring.Kernel.Tracing;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>One visitor's request: the server's features of it. Used again for the next request of the same connection.</summary>
internal sealed class IngressRequest
{
    private string? _remote;
    private IPAddress? _remoteOf;

    public IFeatureCollection Features { get; private set; } = null!;

    public IHttpRequestFeature Request { get; private set; } = null!;

    public IHttpResponseFeature Response { get; private set; } = null!;

    public IHttpResponseBodyFeature Body { get; private set; } = null!;

    public IHttpConnectionFeature Connection { get; private set; } = null!;

    public string RequestId { get; set; } = "";

    public long Started { get; set; }

    /// <summary>Where the operator wants to hear of abuse; null for nowhere.</summary>
    public string? AbuseContact { get; init; }

    /// <summary>Its step in a trace, for the application behind the tunnel; null when nobody traces.</summary>
    public TraceContext? Trace { get; set; }

    /// <summary>It comes from a proxy whose forwarding fields are believed.</summary>
    public bool IsTrusted { get; set; }

    public bool IsTls => Request.Scheme == "https";

    public bool IsHead => Request.Method == "HEAD";

    public bool HasBody => Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;

    /// <summary>Bytes of the request's body and of the response's, for the books.</summary>
    public long BytesIn { get; set; }

    public long BytesOut { get; set; }

    /// <summary>A WebSocket, over HTTP/1.1 or over a stream of HTTP/2.</summary>
    public bool IsWebSocket => ExtendedConnect is not null
        || (Request.Headers.Upgrade.Count > 0 && Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
            && Request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase));

    public IHttpExtendedConnectFeature? ExtendedConnect =>
        Request.Method == "CONNECT" && Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: "websocket" } feature ? feature : null;

    /// <summary>What the application is asked for, byte for byte; a visitor who wrote a whole URL means the path in it (RFC 9112 3.2.2).</summary>
    public string Target
    {
        get
        {
            var target = Request.RawTarget;
            if (target.StartsWith('/') || !target.StartsWith("http", StringComparison.OrdinalIgnoreCase)) return target;
            var authority = target.IndexOf("://", StringComparison.Ordinal);
            if (authority < 0) return target;
            var path = target.AsSpan(authority + 3).IndexOfAny('/', '?');
            if (path < 0) return "/";
            path += authority + 3;
            return target[path] == '/' ? target[path..] : "/" + target[path..];
        }
    }

    /// <summary>The visitor's address.</summary>
    public IPAddress RemoteAddress
    {
        get
        {
            var address = Connection.RemoteIpAddress ?? IPAddress.None;
            return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        }
    }

    /// <summary>The address as text; made once for each connection.</summary>
    public string RemoteText
    {
        get
        {
            var address = Connection.RemoteIpAddress;
            if (_remote is null || !ReferenceEquals(_remoteOf, address)) (_remote, _remoteOf) = (RemoteAddress.ToString(), address);
            return _remote;
        }
    }

    public void Use(IFeatureCollection features)
    {
        Features = features;
        Request = features.GetRequiredFeature<IHttpRequestFeature>();
        Response = features.GetRequiredFeature<IHttpResponseFeature>();
        Body = features.GetRequiredFeature<IHttpResponseBodyFeature>();
        Connection = features.GetRequiredFeature<IHttpConnectionFeature>();
        RequestId = "";
        Trace = null;
        BytesIn = 0;
        BytesOut = 0;
    }

    /// <summary>Ends the connection (HTTP/1) or the stream (HTTP/2) so that the visitor sees that something is missing.</summary>
    public void Abort() => Features.GetRequiredFeature<IHttpRequestLifetimeFeature>().Abort();

    /// <summary>The one Host field; false when it is missing, doubled or empty.</summary>
    public bool TryGetHost(out string host)
    {
        var values = Request.Headers[HeaderNames.Host];
        host = values.Count == 1 ? values.ToString() : "";
        return host.Length > 0;
    }

    public bool Accepts(string type)
    {
        foreach (var value in Request.Headers.Accept)
        {
            if (value?.Contains(type, StringComparison.OrdinalIgnoreCase) == true) return true;
        }
        return false;
    }

    public StringValues Header(string name) => Request.Headers[name];
}
