using System.Text;

namespace Mooring.Bench.Fleet;

/// <summary>
/// The protobuf messages of a gateway, written by hand, so that the load shares no code with the server it measures.
/// Field numbers are those of the Fleet Protocol; zero values are left out, as proto3 does.
/// </summary>
internal static class FleetBytes
{
    internal const int ConnectResponse = 1;
    internal const int StatusResponse = 2;
    internal const int Command = 3;

    internal const int StateConnecting = 0;
    internal const int StateRunning = 1;

    private const int Varint = 0;
    private const int LengthDelimited = 2;
    private const int ConnectMessage = 1;
    private const int StatusMessage = 2;
    private const int CommandResponseMessage = 3;

    /// <summary>ExternalClient.connect: session 1, company 2, vehicle 3, device 4.</summary>
    internal static byte[] EncodeConnect(string session, string company, string car, byte[] device)
    {
        var inner = new List<byte>();
        AddBytes(inner, 1, Encoding.UTF8.GetBytes(session));
        AddBytes(inner, 2, Encoding.UTF8.GetBytes(company));
        AddBytes(inner, 3, Encoding.UTF8.GetBytes(car));
        AddBytes(inner, 4, device);
        return Wrap(ConnectMessage, inner);
    }

    /// <summary>ExternalClient.status: session 1, state 2, counter 3, device status 4 (device 1, data 2).</summary>
    internal static byte[] EncodeStatus(string session, int state, uint counter, byte[] device, byte[] statusData)
    {
        var status = new List<byte>();
        AddBytes(status, 1, device);
        AddBytes(status, 2, statusData);
        var inner = new List<byte>();
        AddBytes(inner, 1, Encoding.UTF8.GetBytes(session));
        AddNumber(inner, 2, (uint)state);
        AddNumber(inner, 3, counter);
        AddBytes(inner, 4, [.. status]);
        return Wrap(StatusMessage, inner);
    }

    /// <summary>ExternalClient.commandResponse: session 1, type 2 (OK is 0), counter 3.</summary>
    internal static byte[] EncodeCommandResponse(string session, uint counter)
    {
        var inner = new List<byte>();
        AddBytes(inner, 1, Encoding.UTF8.GetBytes(session));
        AddNumber(inner, 3, counter);
        return Wrap(CommandResponseMessage, inner);
    }

    /// <summary>Device: module 1, type 2, role 3, name 4.</summary>
    internal static byte[] EncodeDevice(uint module, uint type, string role, string name)
    {
        var device = new List<byte>();
        AddNumber(device, 1, module);
        AddNumber(device, 2, type);
        AddBytes(device, 3, Encoding.UTF8.GetBytes(role));
        AddBytes(device, 4, Encoding.UTF8.GetBytes(name));
        return [.. device];
    }

    /// <summary>Kind of an ExternalServer message and its counter (0 for a ConnectResponse); kind 0 for anything else.</summary>
    internal static (int Kind, uint Counter) Read(ReadOnlySpan<byte> message)
    {
        if (message.IsEmpty) return (0, 0);
        var kind = (int)ReadVarint(ref message) >> 3;
        var length = (int)ReadVarint(ref message);
        var inner = message[..length];
        var counterField = kind == Command ? 2 : 3;
        uint counter = 0;
        while (!inner.IsEmpty)
        {
            var tag = (int)ReadVarint(ref inner);
            var value = (uint)ReadVarint(ref inner);
            if ((tag & 7) == LengthDelimited) inner = inner[(int)value..];
            else if (kind != ConnectResponse && tag >> 3 == counterField) counter = value;
        }
        return (kind, counter);
    }

    private static byte[] Wrap(int field, List<byte> inner)
    {
        var message = new List<byte>(inner.Count + 4);
        AddBytes(message, field, [.. inner]);
        return [.. message];
    }

    private static void AddBytes(List<byte> target, int field, byte[] value)
    {
        AddVarint(target, (ulong)(field << 3 | LengthDelimited));
        AddVarint(target, (ulong)value.Length);
        target.AddRange(value);
    }

    private static void AddNumber(List<byte> target, int field, uint value)
    {
        if (value == 0) return;
        AddVarint(target, (ulong)(field << 3 | Varint));
        AddVarint(target, value);
    }

    private static void AddVarint(List<byte> target, ulong value)
    {
        for (; value >= 0x80; value >>= 7) target.Add((byte)(value | 0x80));
        target.Add((byte)value);
    }

    private static ulong ReadVarint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var i = 0; i < 10 && i < bytes.Length; i++)
        {
            value |= (ulong)(bytes[i] & 0x7F) << 7 * i;
            if ((bytes[i] & 0x80) != 0) continue;
            bytes = bytes[(i + 1)..];
            return value;
        }
        throw new MooringBenchException("The server sent a malformed protobuf number.");
    }
}
