namespace Mooring.Tunnel.Client.Origin;

/// <summary>Opens byte streams to the application that is published.</summary>
internal interface IOrigin
{
    /// <summary>For the Host field when it is rewritten.</summary>
    string Authority { get; }

    /// <exception cref="OriginException">The application does not answer.</exception>
    ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken);
}
