namespace Mooring.SocketIO.Connections;

/// <summary>What an event needs of the place it came from.</summary>
internal interface IConversation
{
    /// <summary>The namespace as it goes over the wire: nothing for the root.</summary>
    ReadOnlySpan<byte> Namespace { get; }

    PacketWriter RentWriter();

    /// <summary>Sends what stands in the writer and takes the writer back.</summary>
    ValueTask SendAsync(PacketWriter packet, CancellationToken cancellationToken);
}
