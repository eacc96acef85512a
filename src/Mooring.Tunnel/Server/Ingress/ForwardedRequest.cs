using Mooring.Kernel.Tracing;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Writes a visitor's header fields as the client gets them: without what concerns the connection, with what tells who visits.</summary>
internal static class ForwardedRequest
{
    /// <summary>The name of this product in Via; a request that has it came out of a tunnel already.</summary>
    internal const string Pseudonym = "mooring-tunnel";

    private const string Via = "1.1 " + Pseudonym;

    [ThreadStatic]
    private static HeaderBlock? t_block;

    /// <summary>Fills a block; it is valid until the next call on this thread.</summary>
    public static HeaderBlock Write(IngressRequest request, bool isTrusted, bool forWebSocket)
    {
        var block = t_block ??= new HeaderBlock();
        block.Clear();
        var headers = request.Request.Headers;
        var named = headers.Connection.Count > 0 ? headers.Connection.ToString() : null;
        if (named is not null && (named.Equals("keep-alive", StringComparison.OrdinalIgnoreCase) || named.Equals("close", StringComparison.OrdinalIgnoreCase))) named = null;
        foreach (var (name, values) in headers)
        {
            if (IsDropped(name, isTrusted, forWebSocket) || (request.Trace is not null && IsTrace(name)) || (named is not null && IsListed(named, name))) continue;
            foreach (var value in values) block.Add(name, value ?? "");
        }
        AddForwarding(block, request, isTrusted);
        if (request.Trace is { } trace) AddTrace(block, trace);
        return block;
    }

    private static void AddForwarding(HeaderBlock block, IngressRequest request, bool isTrusted)
    {
        var headers = request.Request.Headers;
        var remote = request.RemoteText;
        var scheme = request.Request.Scheme;
        var before = isTrusted ? headers["X-Forwarded-For"].ToString() : "";
        block.Add("X-Request-ID", request.RequestId);
        block.Add("X-Forwarded-For", before.Length > 0 ? $"{before}, {remote}" : remote);
        if (!isTrusted || headers["X-Forwarded-Proto"].Count == 0) block.Add("X-Forwarded-Proto", scheme);
        if (!isTrusted || headers["X-Forwarded-Host"].Count == 0) block.Add("X-Forwarded-Host", headers.Host.ToString());
        var element = remote.Contains(':', StringComparison.Ordinal)
            ? $"for=\"[{remote}]\";host=\"{headers.Host}\";proto={scheme}"
            : $"for={remote};host=\"{headers.Host}\";proto={scheme}";
        var chain = isTrusted ? headers["Forwarded"].ToString() : "";
        block.Add("Forwarded", chain.Length > 0 ? $"{chain}, {element}" : element);
        block.Add("Via", headers.Via.Count > 0 ? $"{headers.Via}, {Via}" : Via);
    }

    // The visitor's own stands above ours: the application belongs below it.
    private static void AddTrace(HeaderBlock block, TraceContext trace)
    {
        block.Add(TraceContext.ParentName, trace.ToString());
        if (!string.IsNullOrEmpty(trace.Value.TraceState)) block.Add(TraceContext.StateName, trace.Value.TraceState);
    }

    private static bool IsTrace(string name) => Is(name, TraceContext.ParentName) || Is(name, TraceContext.StateName);

    // By length first: most names match none.
    private static bool IsDropped(string name, bool isTrusted, bool forWebSocket) => name.Length switch
    {
        2 => Is(name, "TE"),
        3 => Is(name, "Via"),
        6 => Is(name, "Expect"),
        7 => Is(name, "Upgrade") || Is(name, "Trailer"),
        9 => Is(name, "Forwarded"),
        10 => Is(name, "Connection") || Is(name, "Keep-Alive"),
        12 => Is(name, "X-Request-ID"),
        15 => Is(name, "X-Forwarded-For"),
        16 => Is(name, "Proxy-Connection") || (!isTrusted && Is(name, "X-Forwarded-Host")),
        17 => Is(name, "Transfer-Encoding") || (!isTrusted && Is(name, "X-Forwarded-Proto")) || (forWebSocket && Is(name, "Sec-WebSocket-Key")),
        21 => forWebSocket && Is(name, "Sec-WebSocket-Version"),
        24 => forWebSocket && Is(name, "Sec-WebSocket-Extensions"),
        _ => name[0] == ':' || Is(name, "Content-Length") && forWebSocket,
    };

    private static bool IsListed(string list, string name)
    {
        foreach (var element in list.AsSpan().Split(','))
        {
            if (list.AsSpan(element).Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}
