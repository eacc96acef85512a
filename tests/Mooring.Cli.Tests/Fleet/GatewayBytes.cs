using System.Text;

namespace Mooring.Cli.Tests.Fleet;

/// <summary>Messages of a gateway, written by hand from the Fleet Protocol's field numbers, so that no code of the server vouches for itself.</summary>
internal static class GatewayBytes
{
    internal const int Connecting = 0;
    internal const int Running = 1;
    internal const int Disconnect = 3;

    /// <summary>Module 1000, type 0, role test_1, name Button.</summary>
    internal static byte[] Button { get; } = [.. Number(1, 1000), .. Text(3, "test_1"), .. Text(4, "Button")];

    internal static byte[] Connect(string session, string car) =>
        Field(1, [.. Text(1, session), .. Text(2, "company"), .. Text(3, car), .. Field(4, Button)]);

    internal static byte[] Status(string session, int state, uint counter, string data) => Field(
        2, [.. Text(1, session), .. Number(2, (uint)state), .. Number(3, counter), .. Field(4, [.. Field(1, Button), .. Text(2, data)])]);

    internal static byte[] CommandResponse(string session, uint counter) => Field(3, [.. Text(1, session), .. Number(3, counter)]);

    private static byte[] Text(int field, string text) => Field(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int field, byte[] content) => [(byte)((field << 3) | 2), .. Varint((uint)content.Length), .. content];

    private static byte[] Number(int field, uint value) => value == 0 ? [] : [(byte)(field << 3), .. Varint(value)];

    private static List<byte> Varint(uint value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return bytes;
    }
}
