namespace Mooring.Tunnel.Links;

/// <summary>Takes what arrives on a link, on the link's own reading loop; nothing here may wait.</summary>
internal interface ILinkReceiver
{
    /// <summary>One whole message. The bytes are gone after the call.</summary>
    void OnMessage(ReadOnlySpan<byte> message);

    /// <summary>All that was read has been given: the moment to flush. The link reads on when the result has completed.</summary>
    ValueTask OnBatchEndAsync();
}
