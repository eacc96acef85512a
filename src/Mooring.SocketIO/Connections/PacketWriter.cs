using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Mooring.SocketIO.Codec;

namespace Mooring.SocketIO.Connections;

/// <summary>Encodes one packet at a time into a buffer that is used again.</summary>
internal sealed class PacketWriter : IDisposable
{
    private readonly ByteBuffer _bytes = new();
    private readonly Utf8JsonWriter _json;

    public PacketWriter() => _json = new Utf8JsonWriter(_bytes, SocketIOArguments.WriterOptions);

    public ReadOnlySpan<byte> Packet => _bytes.Span;

    /// <summary>Set when arguments carry bytes beside the JSON.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>>? Attachments { get; private set; }

    public void WriteEvent(ReadOnlySpan<byte> nsp, long? id, string name, SocketIOArguments? arguments)
    {
        CheckName(name);
        Begin(SocketIOPacketType.Event, nsp, id, arguments);
        _bytes.Write("["u8);
        Value(name);
        if (arguments is { Count: > 0 })
        {
            _bytes.Write(","u8);
            _bytes.Write(arguments.Json);
        }
        _bytes.Write("]"u8);
    }

    public void WriteEvent<T>(ReadOnlySpan<byte> nsp, long? id, string name, T value, JsonTypeInfo<T> type)
    {
        CheckName(name);
        Begin(SocketIOPacketType.Event, nsp, id, null);
        _bytes.Write("["u8);
        Value(name);
        _bytes.Write(","u8);
        Value(value, type);
        _bytes.Write("]"u8);
    }

    public void WriteAck(ReadOnlySpan<byte> nsp, long id, SocketIOArguments? arguments)
    {
        Begin(SocketIOPacketType.Ack, nsp, id, arguments);
        _bytes.Write("["u8);
        if (arguments is not null) _bytes.Write(arguments.Json);
        _bytes.Write("]"u8);
    }

    public void WriteAck<T>(ReadOnlySpan<byte> nsp, long id, T value, JsonTypeInfo<T> type)
    {
        Begin(SocketIOPacketType.Ack, nsp, id, null);
        _bytes.Write("["u8);
        Value(value, type);
        _bytes.Write("]"u8);
    }

    public void WriteJson(SocketIOPacketType packetType, ReadOnlySpan<byte> nsp, ReadOnlySpan<byte> json)
    {
        Begin(packetType, nsp, null, null);
        _bytes.Write(json);
    }

    public void Clear()
    {
        Attachments = null;
        _bytes.Clear();
    }

    public void Dispose()
    {
        _json.Dispose();
        _bytes.Dispose();
    }

    private void Begin(SocketIOPacketType type, ReadOnlySpan<byte> nsp, long? id, SocketIOArguments? arguments)
    {
        Attachments = arguments?.Attachments;
        if (Attachments is not null)
            type = type == SocketIOPacketType.Event ? SocketIOPacketType.BinaryEvent : SocketIOPacketType.BinaryAck;
        SocketIOCodec.WriteHead(_bytes, type, nsp, id, Attachments?.Count ?? 0);
    }

    private void Value(string text)
    {
        _json.Reset();
        _json.WriteStringValue(text);
        _json.Flush();
    }

    private void Value<T>(T value, JsonTypeInfo<T> type)
    {
        _json.Reset();
        JsonSerializer.Serialize(_json, value, type);
        _json.Flush();
    }

    private static void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (SocketIOPayload.IsReserved(name)) throw new ArgumentException($"'{name}' is kept for the connection itself", nameof(name));
    }
}
