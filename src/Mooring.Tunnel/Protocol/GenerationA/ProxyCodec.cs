using System.Buffers;
using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Protocol.GenerationA;

/// <summary>The content of a <see cref="ControlMessage.Proxy"/>: a map with one HTTP request or response.</summary>
internal static class ProxyCodec
{
    public static byte[] Write(ProxyRequest request)
    {
        var output = new ArrayBufferWriter<byte>(512 + request.Body.Length);
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(5);
        writer.WriteText("method"u8);
        writer.WriteText(request.Method);
        writer.WriteText("path"u8);
        writer.WriteText(request.Path);
        writer.WriteText("query"u8);
        writer.WriteText(request.Query);
        WriteHeadersAndBody(writer, request.Headers, request.Body.Span);
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Write(ProxyResponse response)
    {
        var output = new ArrayBufferWriter<byte>(512 + response.Body.Length);
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(3);
        writer.WriteText("status"u8);
        writer.WriteInt64(response.Status);
        WriteHeadersAndBody(writer, response.Headers, response.Body.Span);
        return output.WrittenSpan.ToArray();
    }

    /// <exception cref="TunnelProtocolException">It is no request.</exception>
    public static ProxyRequest ReadRequest(ReadOnlyMemory<byte> content)
    {
        var (method, path, query) = ("GET", "/", "");
        IReadOnlyList<KeyValuePair<string, string>> headers = [];
        var body = ReadOnlyMemory<byte>.Empty;
        var reader = new MessagePackReader(content.Span);
        for (var left = reader.ReadMapHeader(); left > 0; left--)
        {
            switch (reader.ReadString())
            {
                case "method": method = reader.ReadString(); break;
                case "path": path = reader.ReadString(); break;
                case "query": query = reader.ReadString(); break;
                case "headers": headers = ReadHeaders(ref reader); break;
                case "body": body = ReadBody(content, ref reader); break;
                default: reader.ReadRaw(); break;
            }
        }
        reader.ExpectEnd();
        return new ProxyRequest(method, path, query, headers, body);
    }

    /// <exception cref="TunnelProtocolException">It is no response.</exception>
    public static ProxyResponse ReadResponse(ReadOnlyMemory<byte> content)
    {
        var status = 0;
        IReadOnlyList<KeyValuePair<string, string>> headers = [];
        var body = ReadOnlyMemory<byte>.Empty;
        var reader = new MessagePackReader(content.Span);
        for (var left = reader.ReadMapHeader(); left > 0; left--)
        {
            switch (reader.ReadString())
            {
                case "status": status = (int)reader.ReadInt64(100, 999); break;
                case "headers": headers = ReadHeaders(ref reader); break;
                case "body": body = ReadBody(content, ref reader); break;
                default: reader.ReadRaw(); break;
            }
        }
        reader.ExpectEnd();
        return status != 0
            ? new ProxyResponse(status, headers, body)
            : throw new TunnelProtocolException(TunnelProtocolError.Malformed, "a response without a status");
    }

    private static void WriteHeadersAndBody(
        MessagePackWriter writer, IReadOnlyList<KeyValuePair<string, string>> headers, ReadOnlySpan<byte> body)
    {
        writer.WriteText("headers"u8);
        writer.WriteMapHeader(headers.Count);
        foreach (var (name, value) in headers)
        {
            writer.WriteText(name);
            writer.WriteText(value);
        }
        writer.WriteText("body"u8);
        writer.WriteBinary(body);
    }

    private static List<KeyValuePair<string, string>> ReadHeaders(ref MessagePackReader reader)
    {
        var count = reader.ReadMapHeader();
        var headers = new List<KeyValuePair<string, string>>(count);
        for (var i = 0; i < count; i++) headers.Add(new(reader.ReadString(), reader.ReadString()));
        return headers;
    }

    private static ReadOnlyMemory<byte> ReadBody(ReadOnlyMemory<byte> content, ref MessagePackReader reader)
    {
        var length = reader.ReadBinary().Length;
        return content.Slice(reader.Position - length, length);
    }
}
