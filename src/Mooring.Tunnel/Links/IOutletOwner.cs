namespace Mooring.Tunnel.Links;

/// <summary>The stream that a <see cref="StreamOutlet"/> writes for.</summary>
internal interface IOutletOwner
{
    /// <summary>Payload bytes have been taken by the target: the moment to give credit back.</summary>
    void OnWritten(int payloadBytes);

    /// <summary>All there was is written, and no more will come.</summary>
    void OnDrained();

    /// <summary>The target takes no more.</summary>
    void OnOutletBroken();
}
