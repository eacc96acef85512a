namespace Mooring.Tunnel.Protocol.Http;

/// <summary>Walks field lines.</summary>
internal ref struct HttpFieldLines(ReadOnlySpan<byte> lines)
{
    private ReadOnlySpan<byte> _left = lines;

    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The next field; false at the end.</summary>
    /// <exception cref="TunnelProtocolException">A line is no field, or goes on with the one before (obsolete since RFC 7230).</exception>
    public bool Read()
    {
        if (_left.IsEmpty) return false;
        var end = _left.IndexOf("\r\n"u8);
        var line = end < 0 ? _left : _left[..end];
        _left = end < 0 ? default : _left[(end + 2)..];
        var colon = line.IndexOf((byte)':');
        if (colon <= 0 || !HttpField.IsToken(line[..colon])) throw new TunnelProtocolException(TunnelProtocolError.Malformed, "a line is no header field");
        Name = line[..colon];
        Value = HttpField.Trim(line[(colon + 1)..]);
        return HttpField.IsValue(Value) ? true : throw new TunnelProtocolException(TunnelProtocolError.Malformed, "a header value has a line break");
    }
}
