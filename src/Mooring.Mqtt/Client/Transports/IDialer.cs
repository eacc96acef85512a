namespace Mooring.Mqtt.Client.Transports;

/// <summary>Opens connections to one broker.</summary>
internal interface IDialer : IDisposable
{
    ValueTask<ClientTransport> DialAsync(CancellationToken cancellationToken);
}
