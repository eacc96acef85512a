using System.Text;
using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Walks the fields of a StreamOpen or a response head: a list of pairs, or the map of version 1.</summary>
internal ref struct HeaderReader
{
    private readonly bool _isMap;
    private MessagePackReader _reader;
    private int _left;

    /// <exception cref="TunnelProtocolException">The bytes are neither a list nor a map.</exception>
    public HeaderReader(ReadOnlySpan<byte> encoded)
    {
        _reader = new MessagePackReader(encoded);
        if (encoded.IsEmpty) return;
        _isMap = _reader.NextType == MessagePackType.Map;
        _left = _isMap ? _reader.ReadMapHeader() : _reader.ReadArrayHeader();
    }

    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    /// <exception cref="TunnelProtocolException">A field is no pair of texts.</exception>
    public bool Read()
    {
        if (_left == 0) return false;
        _left--;
        if (!_isMap && _reader.ReadArrayHeader() != 2)
            throw new TunnelProtocolException(TunnelProtocolError.WrongType, "a header field is no pair");
        Name = _reader.ReadText();
        Value = _reader.ReadBinary();
        return true;
    }

    /// <summary>Whether the current field has this name, given in lower case.</summary>
    public readonly bool Is(ReadOnlySpan<byte> lowerCaseName) => Ascii.EqualsIgnoreCase(Name, lowerCaseName);

    /// <summary>Version 1 puts the verb among the fields; it is never forwarded.</summary>
    public readonly bool IsVerb => Is("method"u8) || Is(":method"u8);
}
