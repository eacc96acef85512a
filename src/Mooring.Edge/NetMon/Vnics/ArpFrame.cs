using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;

namespace Mooring.Edge.NetMon.Vnics;

/// <summary>Frames of the address resolution protocol on Ethernet (RFC 826), as far as a probe needs them. Pure.</summary>
internal static class ArpFrame
{
    /// <summary>Room for the longest frame that is looked at.</summary>
    public const int LengthMax = 128;

    private const int Length = 42;
    private const int MacLength = 6;
    private const int SenderMac = 22;
    private const int SenderAddress = 28;
    private const int TargetAddress = 38;

    /// <summary>Who has this address? Asked without an address of one's own, so that nobody learns a wrong one.</summary>
    public static byte[] Probe(string mac, string address)
    {
        var frame = new byte[Length];
        frame.AsSpan(0, MacLength).Fill(0xFF);
        var own = PhysicalAddress.Parse(mac).GetAddressBytes();
        own.CopyTo(frame, MacLength);
        // Ethertype ARP; hardware Ethernet, protocol IPv4, lengths 6 and 4, request.
        byte[] header = [0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01];
        header.CopyTo(frame, 2 * MacLength);
        own.CopyTo(frame, SenderMac);
        IPAddress.Parse(address).GetAddressBytes().CopyTo(frame, TargetAddress);
        return frame;
    }

    /// <summary>Who, other than the asking station, says in this frame that it has the address, or is about to take it.</summary>
    /// <returns>Its hardware address; null when the frame says nothing of the kind.</returns>
    public static string? ClaimantOf(ReadOnlySpan<byte> frame, string mac, string address)
    {
        if (frame.Length < Length || BinaryPrimitives.ReadUInt16BigEndian(frame[(2 * MacLength)..]) != 0x0806) return null;
        var sender = frame.Slice(SenderMac, MacLength);
        if (sender.SequenceEqual(PhysicalAddress.Parse(mac).GetAddressBytes())) return null;
        var wanted = IPAddress.Parse(address).GetAddressBytes();
        var has = frame.Slice(SenderAddress, wanted.Length);
        var isProbe = !has.ContainsAnyExcept((byte)0) && frame.Slice(TargetAddress, wanted.Length).SequenceEqual(wanted);
        return has.SequenceEqual(wanted) || isProbe ? string.Join(':', sender.ToArray().Select(o => o.ToString("x2", System.Globalization.CultureInfo.InvariantCulture))) : null;
    }
}
