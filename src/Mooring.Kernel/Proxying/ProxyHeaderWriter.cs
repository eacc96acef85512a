using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Mooring.Kernel.Proxying;

/// <summary>Writes the PROXY protocol header that an application is told a visitor's address with.</summary>
public static class ProxyHeaderWriter
{
    /// <summary>A header; without addresses, or with addresses of two families, it says that nothing is known.</summary>
    /// <param name="version">1 for a line of text, 2 for the binary form.</param>
    /// <param name="header">What it says.</param>
    /// <returns>Its bytes.</returns>
    public static byte[] Write(int version, ProxyHeader header)
    {
        if (header is { Source: { } from, Destination: { } to } && from.AddressFamily == to.AddressFamily)
            return version == 1 ? WriteLine(from, to) : WriteBinary(from, to);
        return version == 1 ? "PROXY UNKNOWN\r\n"u8.ToArray() : [.. ProxyHeaderReader.Signature, 0x20, 0, 0, 0];
    }

    private static bool IsV4(IPEndPoint endPoint) => endPoint.AddressFamily == IPAddress.Any.AddressFamily;

    private static byte[] WriteLine(IPEndPoint from, IPEndPoint to) => Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"PROXY {(IsV4(from) ? "TCP4" : "TCP6")} {from.Address} {to.Address} {from.Port} {to.Port}\r\n"));

    private static byte[] WriteBinary(IPEndPoint from, IPEndPoint to)
    {
        var isV4 = IsV4(from);
        var ports = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(ports, (ushort)from.Port);
        BinaryPrimitives.WriteUInt16BigEndian(ports.AsSpan(2), (ushort)to.Port);
        return
        [
            .. ProxyHeaderReader.Signature, 0x21, (byte)(isV4 ? 0x11 : 0x21), 0, (byte)(isV4 ? 12 : 36),
            .. from.Address.GetAddressBytes(), .. to.Address.GetAddressBytes(), .. ports,
        ];
    }
}
