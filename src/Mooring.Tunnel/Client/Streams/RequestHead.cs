using System.Buffers;
using System.Text;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.Http;

namespace Mooring.Tunnel.Client.Streams;

/// <summary>Turns a StreamOpen into the head of an HTTP/1.1 request for the application.</summary>
internal static class RequestHead
{
    /// <summary>Writes the head.</summary>
    /// <param name="open">The frame.</param>
    /// <param name="hostHeader">See <see cref="TunnelDefinition.HostHeader"/>.</param>
    /// <param name="authority">The application's own address.</param>
    /// <param name="output">Where to.</param>
    /// <returns>Whether the body is sent in chunks, because its length is not known.</returns>
    /// <exception cref="TunnelProtocolException">A part would break the request into two.</exception>
    public static bool Write(in FrameView open, string? hostHeader, string authority, PooledBytes output)
    {
        var method = Method(open);
        if (!HttpField.IsToken(method)) throw Bad("method");
        if (open.Path.IsEmpty || open.Path.IndexOfAnyInRange((byte)0, (byte)' ') >= 0 || open.Path.Contains((byte)0x7F)) throw Bad("path");
        output.Append(method);
        output.Append(" "u8);
        AppendLatin1(output, open.Path);
        output.Append(" HTTP/1.1\r\n"u8);
        var hasLength = WriteFields(open, hostHeader, authority, output);
        var isChunked = open.HasBody && !hasLength;
        if (isChunked) output.Append("Transfer-Encoding: chunked\r\n"u8);
        output.Append("\r\n"u8);
        return isChunked;
    }

    /// <summary>Writes an upgrade to WebSocket with a handshake of our own; of the visitor's only the sub-protocols stay.</summary>
    public static void WriteUpgrade(in FrameView open, string? hostHeader, string authority, string key, PooledBytes output)
    {
        if (open.Path.IsEmpty || open.Path.IndexOfAnyInRange((byte)0, (byte)' ') >= 0) throw Bad("path");
        output.Append("GET "u8);
        AppendLatin1(output, open.Path);
        output.Append(" HTTP/1.1\r\n"u8);
        WriteFields(open, hostHeader, authority, output, isUpgrade: true);
        output.Append("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "u8);
        AppendText(output, key);
        output.Append("\r\n\r\n"u8);
    }

    public static ReadOnlySpan<byte> Method(in FrameView open)
    {
        if (!open.Method.IsEmpty) return open.Method;
        var headers = new HeaderReader(open.Headers);
        while (headers.Read())
        {
            if (headers.IsVerb) return headers.Value;
        }
        return "GET"u8;
    }

    private static bool WriteFields(in FrameView open, string? hostHeader, string authority, PooledBytes output, bool isUpgrade = false)
    {
        var hasLength = false;
        var hasHost = false;
        var named = default(ReadOnlySpan<byte>);
        var headers = new HeaderReader(open.Headers);
        while (headers.Read())
        {
            if (headers.Is("connection"u8)) named = headers.Value;
        }
        var isPreserved = hostHeader == "preserve";
        headers = new HeaderReader(open.Headers);
        while (headers.Read())
        {
            var name = headers.Name;
            if (HttpField.IsHopByHop(name) || headers.IsVerb || (!named.IsEmpty && IsNamed(named, name)) || headers.Is("expect"u8)) continue;
            if (!HttpField.IsToken(name) || !HttpField.IsValue(headers.Value)) throw Bad("header field");
            if (headers.Is("host"u8))
            {
                if (!isPreserved) continue;
                hasHost = true;
            }
            if (isUpgrade && IsHandshake(headers)) continue;
            if (headers.Is("content-length"u8)) hasLength = true;
            output.Append(name);
            output.Append(": "u8);
            AppendLatin1(output, headers.Value);
            output.Append("\r\n"u8);
        }
        if (hasHost) return hasLength;
        output.Append("Host: "u8);
        AppendText(output, isPreserved ? authority : hostHeader ?? authority);
        output.Append("\r\n"u8);
        return hasLength;
    }

    private static bool IsHandshake(in HeaderReader headers) =>
        headers.Is("sec-websocket-key"u8) || headers.Is("sec-websocket-version"u8) || headers.Is("sec-websocket-extensions"u8) || headers.Is("content-length"u8);

    private static bool IsNamed(ReadOnlySpan<byte> list, ReadOnlySpan<byte> name)
    {
        Span<byte> lower = stackalloc byte[64];
        return name.Length <= lower.Length && Ascii.ToLower(name, lower, out var length) == OperationStatus.Done
            && HttpField.ListHas(list, lower[..length]);
    }

    private static void AppendText(PooledBytes output, string text) =>
        output.Advance(Encoding.Latin1.GetBytes(text, output.GetSpan(text.Length)));

    /// <summary>Texts on the wire are UTF-8; HTTP has bytes, which we take for Latin-1 at both ends, so that each survives.</summary>
    internal static void AppendLatin1(PooledBytes output, ReadOnlySpan<byte> utf8)
    {
        if (Ascii.IsValid(utf8)) output.Append(utf8);
        else AppendText(output, Encoding.UTF8.GetString(utf8));
    }

    private static TunnelProtocolException Bad(string what) => new(TunnelProtocolError.Malformed, $"a {what} that HTTP does not allow");
}
