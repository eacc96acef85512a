using System.Net;

namespace Mooring.Kernel.Sockets;

/// <summary>Addresses as accept(2) gives them.</summary>
internal static class SocketAddressBytes
{
    private const int FamilyInterNetwork = 2;
    private const int FamilyInterNetworkV6 = 10;

    /// <summary>
    /// struct sockaddr_in: family (host order), port and address in network order; sockaddr_in6 has 4 bytes of flow between them.
    /// Null for any other family.
    /// </summary>
    internal static IPEndPoint? Decode(ReadOnlySpan<byte> address)
    {
        if (address.Length < 8) return null;
        var port = address[2] << 8 | address[3];
        return BitConverter.ToUInt16(address) switch
        {
            FamilyInterNetwork => new IPEndPoint(new IPAddress(address.Slice(4, 4)), port),
            FamilyInterNetworkV6 when address.Length >= 24 => new IPEndPoint(new IPAddress(address.Slice(8, 16)), port),
            _ => null,
        };
    }
}
