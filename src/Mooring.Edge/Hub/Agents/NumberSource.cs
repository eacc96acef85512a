using Mooring.Edge.Hub.Store;

namespace Mooring.Edge.Hub.Agents;

/// <summary>Numbers of calls. None comes twice, over restarts too: the store is asked for a thousand at a time.</summary>
internal sealed class NumberSource(HubStore store) : IDisposable
{
    private const long Step = 1_000;

    private readonly SemaphoreSlim _reserving = new(1, 1);
    private long _next;
    private long _end;

    public async ValueTask<long> NextAsync(CancellationToken cancellationToken)
    {
        await _reserving.WaitAsync(cancellationToken);
        try
        {
            if (_next == _end)
            {
                _next = await store.ReserveNumbersAsync("correlation", Step, cancellationToken);
                _end = _next + Step;
            }
            return _next++;
        }
        finally
        {
            _reserving.Release();
        }
    }

    public void Dispose() => _reserving.Dispose();
}
