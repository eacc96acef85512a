namespace Mooring.Mqtt.Client.Transports;

/// <summary>Bytes to and from a broker.</summary>
/// <param name="Stream">Both directions; disposing it closes the connection.</param>
/// <param name="CloseOutputAsync">Tells the broker that nothing more comes, and still reads.</param>
internal sealed record ClientTransport(Stream Stream, Func<CancellationToken, ValueTask> CloseOutputAsync) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
