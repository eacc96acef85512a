using System.Buffers;
using Mooring.Tunnel.Protocol.MessagePack;

namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Writes frames of generation B as MessagePack maps: fields in a fixed order, Type last, fields without a value left out.</summary>
internal static class FrameWriter
{
    /// <summary>Longest reason in a StreamReset, in bytes.</summary>
    internal const int ReasonBytesMax = 200;

    public static void WriteAuth(IBufferWriter<byte> output, string token, int version, Capabilities capabilities)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(capabilities == Capabilities.None ? 3 : 4);
        writer.WriteText("token"u8);
        writer.WriteText(token);
        WriteVersion(writer, version, capabilities);
        WriteType(writer, "Auth"u8);
    }

    /// <summary>The server's answer to Auth.</summary>
    public static void WriteWelcome(IBufferWriter<byte> output, int version, Capabilities capabilities)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(capabilities == Capabilities.None ? 2 : 3);
        WriteVersion(writer, version, capabilities);
        WriteType(writer, "HeartbeatAck"u8);
    }

    /// <summary>The answer to Heartbeat, and to Auth for version 1.</summary>
    public static void WriteHeartbeatAck(IBufferWriter<byte> output) => WriteBare(output, "HeartbeatAck"u8);

    public static void WriteHeartbeat(IBufferWriter<byte> output) => WriteBare(output, "Heartbeat"u8);

    public static void WriteTunnelCreate(IBufferWriter<byte> output, TunnelRequest request)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(2 + Count(request.Subdomain) + Count(request.Path) + (request.RemotePort is null ? 0 : 1)
            + Count(request.Hostname) + Count(request.Auth));
        writer.WriteText("protocol"u8);
        writer.WriteText(request.Protocol);
        WriteOptional(writer, "subdomain"u8, request.Subdomain);
        WriteOptional(writer, "path"u8, request.Path);
        WriteOptional(writer, "remote_port"u8, request.RemotePort);
        WriteOptional(writer, "hostname"u8, request.Hostname);
        WriteOptional(writer, "auth"u8, request.Auth);
        WriteType(writer, "TunnelCreate"u8);
    }

    public static void WriteTunnelCreated(IBufferWriter<byte> output, TunnelGrant grant)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(3 + Count(grant.Path) + (grant.RemotePort is null ? 0 : 1) + (grant.IsAuthEnforced ? 1 : 0));
        writer.WriteText("url"u8);
        writer.WriteText(grant.Url);
        writer.WriteText("subdomain"u8);
        writer.WriteText(grant.Subdomain);
        WriteOptional(writer, "path"u8, grant.Path);
        WriteOptional(writer, "remote_port"u8, grant.RemotePort);
        if (grant.IsAuthEnforced)
        {
            writer.WriteText("auth"u8);
            writer.WriteBoolean(true);
        }
        WriteType(writer, "TunnelCreated"u8);
    }

    public static void WriteStreamOpen(IBufferWriter<byte> output, scoped in StreamOpening open)
    {
        var hasMethod = !open.Method.IsEmpty;
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(7 + (hasMethod ? 2 : 0) + (open.Window > 0 ? 1 : 0) + (open.ClientAddress.IsEmpty ? 0 : 2)
            + (open.RequestId.IsEmpty ? 0 : 1) + (open.DeadlineMilliseconds > 0 ? 1 : 0));
        writer.WriteText("stream_id"u8);
        writer.WriteInt64(open.StreamId);
        writer.WriteText("tunnel_id"u8);
        writer.WriteText(open.TunnelId);
        writer.WriteText("mode"u8);
        writer.WriteText(open.Mode switch { StreamMode.WebSocket => "ws"u8, StreamMode.Tcp => "tcp"u8, _ => "http"u8 });
        writer.WriteText("path"u8);
        writer.WriteText(open.Path);
        writer.WriteText("headers"u8);
        output.Write(open.Headers.IsEmpty ? EmptyList : open.Headers);
        writer.WriteText("body"u8);
        writer.WriteBinary(open.Body);
        if (hasMethod)
        {
            writer.WriteText("method"u8);
            writer.WriteText(open.Method);
            writer.WriteText("has_body"u8);
            writer.WriteBoolean(open.HasBody);
        }
        WriteOptional(writer, "window"u8, open.Window);
        if (!open.ClientAddress.IsEmpty)
        {
            writer.WriteText("client_addr"u8);
            writer.WriteText(open.ClientAddress);
            writer.WriteText("tls"u8);
            writer.WriteBoolean(open.IsTls);
        }
        if (!open.RequestId.IsEmpty)
        {
            writer.WriteText("request_id"u8);
            writer.WriteText(open.RequestId);
        }
        WriteOptional(writer, "deadline_ms"u8, open.DeadlineMilliseconds);
        WriteType(writer, "StreamOpen"u8);
    }

    public static void WriteStreamData(
        IBufferWriter<byte> output, long streamId, ReadOnlySpan<byte> bytes, DataFraming framing = DataFraming.Plain,
        DataKind kind = DataKind.Bytes, bool isEnd = false, long credit = 0)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(3 + (framing == DataFraming.Plain ? 0 : 1) + (kind == DataKind.Bytes ? 0 : 1) + (isEnd ? 1 : 0) + (credit > 0 ? 1 : 0));
        writer.WriteText("stream_id"u8);
        writer.WriteInt64(streamId);
        writer.WriteText("data"u8);
        writer.WriteBinary(bytes);
        if (kind != DataKind.Bytes)
        {
            writer.WriteText("ws_type"u8);
            writer.WriteText(kind == DataKind.Text ? "text"u8 : "binary"u8);
        }
        if (framing != DataFraming.Plain)
        {
            writer.WriteText("fin"u8);
            writer.WriteBoolean(framing == DataFraming.Last);
        }
        if (isEnd)
        {
            writer.WriteText("eof"u8);
            writer.WriteBoolean(true);
        }
        WriteOptional(writer, "ack"u8, credit);
        WriteType(writer, "StreamData"u8);
    }

    public static void WriteStreamClose(IBufferWriter<byte> output, long streamId, int code = 0, string? reason = null)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(2 + (code > 0 ? 1 : 0) + Count(reason));
        writer.WriteText("stream_id"u8);
        writer.WriteInt64(streamId);
        WriteOptional(writer, "code"u8, (long)code);
        WriteOptional(writer, "reason"u8, reason);
        WriteType(writer, "StreamClose"u8);
    }

    public static void WriteStreamReset(IBufferWriter<byte> output, long streamId, string reason)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(3);
        writer.WriteText("stream_id"u8);
        writer.WriteInt64(streamId);
        writer.WriteText("reason"u8);
        writer.WriteText(Shortened(reason));
        WriteType(writer, "StreamReset"u8);
    }

    public static void WriteError(IBufferWriter<byte> output, string code, string message)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(3);
        writer.WriteText("code"u8);
        writer.WriteText(code);
        writer.WriteText("message"u8);
        writer.WriteText(message);
        WriteType(writer, "Error"u8);
    }

    private static ReadOnlySpan<byte> EmptyList => [MessagePackFormat.FixArray];

    private static void WriteBare(IBufferWriter<byte> output, ReadOnlySpan<byte> type)
    {
        var writer = new MessagePackWriter(output);
        writer.WriteMapHeader(1);
        WriteType(writer, type);
    }

    private static void WriteVersion(MessagePackWriter writer, int version, Capabilities capabilities)
    {
        writer.WriteText("version"u8);
        writer.WriteInt64(version);
        if (capabilities == Capabilities.None) return;
        writer.WriteText("caps"u8);
        CapabilityNames.Write(writer, capabilities);
    }

    private static void WriteType(MessagePackWriter writer, ReadOnlySpan<byte> type)
    {
        writer.WriteText("Type"u8);
        writer.WriteText(type);
    }

    private static int Count(string? value) => value is null ? 0 : 1;

    private static void WriteOptional(MessagePackWriter writer, ReadOnlySpan<byte> name, string? value)
    {
        if (value is null) return;
        writer.WriteText(name);
        writer.WriteText(value);
    }

    private static void WriteOptional(MessagePackWriter writer, ReadOnlySpan<byte> name, int? value)
    {
        if (value is not { } number) return;
        writer.WriteText(name);
        writer.WriteInt64(number);
    }

    private static void WriteOptional(MessagePackWriter writer, ReadOnlySpan<byte> name, long value)
    {
        if (value <= 0) return;
        writer.WriteText(name);
        writer.WriteInt64(value);
    }

    // Reasons are ours or exception texts: characters above ASCII are rare, and a quarter of the length always fits.
    private static string Shortened(string reason)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(reason) <= ReasonBytesMax) return reason;
        return reason.Length > ReasonBytesMax / 3 ? reason[..(ReasonBytesMax / 3)] : reason;
    }
}
