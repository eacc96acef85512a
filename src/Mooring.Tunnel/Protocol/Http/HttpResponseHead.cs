using System.Buffers.Text;

namespace Mooring.Tunnel.Protocol.Http;

/// <summary>The status line and the fields of an HTTP/1 response, as slices of the bytes they were read from.</summary>
internal ref struct HttpResponseHead
{
    /// <summary>More than any application needs; a head above it is refused.</summary>
    internal const int BytesMax = 64 * 1024;

    internal const int FieldsMax = 256;

    public int Status;

    /// <summary>HTTP/1.0 closes unless told otherwise.</summary>
    public bool IsHttp10;

    public bool KeepsAlive;

    public bool IsChunked;

    public bool HasUnknownCoding;

    public long? ContentLength;

    /// <summary>The field lines, each with its CRLF.</summary>
    public ReadOnlySpan<byte> Fields;

    /// <summary>Reads a head; false when bytes are missing.</summary>
    /// <param name="bytes">What was read so far.</param>
    /// <param name="head">The head.</param>
    /// <param name="length">Bytes it takes.</param>
    /// <exception cref="TunnelProtocolException">It is no head of HTTP/1.</exception>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out HttpResponseHead head, out int length)
    {
        head = default;
        length = 0;
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            if (bytes.Length > BytesMax) throw Malformed($"a head of more than {BytesMax} bytes");
            if (!"HTTP/1."u8.StartsWith(bytes[..Math.Min(bytes.Length, 7)])) throw Malformed("no HTTP/1 response");
            return false;
        }
        length = end + 4;
        if (length > BytesMax) throw Malformed($"a head of more than {BytesMax} bytes");
        var lines = bytes[..(end + 2)];
        var first = lines.IndexOf("\r\n"u8);
        head.ReadStatusLine(lines[..first]);
        head.Fields = lines[(first + 2)..];
        head.ReadFields();
        return true;
    }

    /// <summary>How the body ends, for a request with this method.</summary>
    public readonly BodyFraming Framing(bool isHead)
    {
        if (isHead || Status is < 200 or 204 or 304) return BodyFraming.None;
        if (IsChunked) return BodyFraming.Chunked;
        if (HasUnknownCoding) return BodyFraming.UntilClose;
        return ContentLength switch
        {
            null => BodyFraming.UntilClose,
            0 => BodyFraming.None,
            _ => BodyFraming.Length,
        };
    }

    private void ReadStatusLine(ReadOnlySpan<byte> line)
    {
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[8] != ' ' || (line.Length > 12 && line[12] != ' '))
            throw Malformed("no HTTP/1 status line");
        if (!Utf8Parser.TryParse(line.Slice(9, 3), out int status, out var used) || used != 3 || status < 100) throw Malformed("no status");
        Status = status;
        IsHttp10 = line[7] == '0';
        KeepsAlive = !IsHttp10;
    }

    private void ReadFields()
    {
        var fields = new HttpFieldLines(Fields);
        var count = 0;
        while (fields.Read())
        {
            if (++count > FieldsMax) throw Malformed($"more than {FieldsMax} fields");
            if (HttpField.Is(fields.Name, "content-length"u8)) ReadLength(fields.Value);
            else if (HttpField.Is(fields.Name, "transfer-encoding"u8))
            {
                if (HttpField.ListHas(fields.Value, "chunked"u8)) IsChunked = true;
                else HasUnknownCoding = true;
            }
            else if (HttpField.Is(fields.Name, "connection"u8))
            {
                if (HttpField.ListHas(fields.Value, "close"u8)) KeepsAlive = false;
                else if (HttpField.ListHas(fields.Value, "keep-alive"u8)) KeepsAlive = true;
            }
        }
        if (IsChunked || HasUnknownCoding) ContentLength = null;
    }

    private void ReadLength(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0
            || !Utf8Parser.TryParse(value, out long length, out var used) || used != value.Length)
        {
            throw Malformed("Content-Length is no number");
        }
        if (ContentLength is { } other && other != length) throw Malformed("two different Content-Lengths");
        ContentLength = length;
    }

    private static TunnelProtocolException Malformed(string detail) => new(TunnelProtocolError.Malformed, detail);
}
