using System.Buffers;
using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>
/// What a client sends inside a StreamData with fin before (or, trailers, after) the body. In version 3 heads with status 100 to 199
/// may come before the one final head.
/// <code>
/// http    {status, headers}
/// ws      {status: 101, subprotocol}  or, refused by the application,  {status, reason, headers}
/// "trl"   {trailers}
/// </code>
/// </summary>
internal ref struct ResponseHead
{
    /// <summary>100 to 999; 0 for trailers.</summary>
    public int Status;

    /// <summary>Encoded fields, see <see cref="HeaderReader"/>.</summary>
    public ReadOnlySpan<byte> Headers;

    /// <summary>Sub-protocol that the application chose; empty for none.</summary>
    public ReadOnlySpan<byte> Subprotocol;

    public ReadOnlySpan<byte> Reason;

    /// <summary>Encoded trailer fields.</summary>
    public ReadOnlySpan<byte> Trailers;

    public readonly bool IsTrailers => Status == 0;

    /// <exception cref="TunnelProtocolException">It is neither a head nor trailers.</exception>
    public static ResponseHead Read(ReadOnlySpan<byte> message)
    {
        var head = default(ResponseHead);
        var reader = new MessagePackReader(message);
        for (var left = reader.ReadMapHeader(); left > 0; left--)
        {
            var key = reader.ReadText();
            if (reader.TryReadNil()) continue;
            if (key.SequenceEqual("status"u8)) head.Status = (int)reader.ReadInt64(100, 999);
            else if (key.SequenceEqual("headers"u8)) head.Headers = reader.ReadRaw();
            else if (key.SequenceEqual("subprotocol"u8)) head.Subprotocol = reader.ReadText();
            else if (key.SequenceEqual("reason"u8)) head.Reason = reader.ReadText();
            else if (key.SequenceEqual("trailers"u8)) head.Trailers = reader.ReadRaw();
            else reader.ReadRaw();
        }
        reader.ExpectEnd();
        return head.Status != 0 || !head.Trailers.IsEmpty
            ? head
            : throw new TunnelProtocolException(TunnelProtocolError.Malformed, "a response head without a status");
    }

    public static void Write(IBufferWriter<byte> output, int status, ReadOnlySpan<byte> headers)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(2);
        WriteStatus(writer, status);
        writer.WriteText("headers"u8);
        output.Write(headers);
    }

    /// <summary>The application accepted a WebSocket.</summary>
    public static void WriteAccepted(IBufferWriter<byte> output, string? subprotocol)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(2);
        WriteStatus(writer, 101);
        writer.WriteText("subprotocol"u8);
        if (subprotocol is null) writer.WriteNil();
        else writer.WriteText(subprotocol);
    }

    /// <summary>The application refused a WebSocket.</summary>
    public static void WriteRefused(IBufferWriter<byte> output, int status, string reason, ReadOnlySpan<byte> headers)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(3);
        WriteStatus(writer, status);
        writer.WriteText("reason"u8);
        writer.WriteText(reason);
        writer.WriteText("headers"u8);
        output.Write(headers);
    }

    public static void WriteTrailers(IBufferWriter<byte> output, ReadOnlySpan<byte> trailers)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(1);
        writer.WriteText("trailers"u8);
        output.Write(trailers);
    }

    private static void WriteStatus(MessagePackWriter writer, int status)
    {
        writer.WriteText("status"u8);
        writer.WriteInt64(status);
    }
}
