using System.Buffers.Binary;
using Google.Protobuf;

namespace Mooring.Fleet.VirtualCars.Devices;

/// <summary>Sends numbered bytes and counts those that come back.</summary>
internal sealed class EchoDevice(VirtualDeviceOptions options) : VirtualDevice(options)
{
    // Every value of a byte is in a payload that is long enough, zeros too.
    private readonly byte[] _payload = [.. Enumerable.Range(0, options.PayloadBytes).Select(i => (byte)i)];
    private ulong _sent;

    /// <summary>Commands that were a status of this device.</summary>
    internal long Echoes { get; private set; }

    protected override void Obey(ReadOnlySpan<byte> command)
    {
        if (command.Length == _payload.Length && command[8..].SequenceEqual(_payload.AsSpan(8))
            && BinaryPrimitives.ReadUInt64LittleEndian(command) <= _sent) Echoes++;
    }

    protected override ByteString Step(TimeSpan now)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_payload, ++_sent);
        return ByteString.CopyFrom(_payload);
    }
}
