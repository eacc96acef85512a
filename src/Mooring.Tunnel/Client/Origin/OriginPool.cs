using System.Diagnostics.CodeAnalysis;

namespace Mooring.Tunnel.Client.Origin;

/// <summary>Idle connections to the application, the one used last first, so that after a peak the others grow old and are closed by it.</summary>
internal sealed class OriginPool(IOrigin origin, TimeProvider time) : IDisposable
{
    /// <summary>As many as there are streams in a connection to the server.</summary>
    internal const int IdleMax = Protocol.WireLimits.StreamsMax;

    /// <summary>Servers keep an idle connection for longer than this, so that looking whether it was closed is not worth a system call.</summary>
    internal static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Stack<OriginConnection> _idle = new();
    private bool _isDisposed;

    public IOrigin Origin => origin;

    /// <summary>A connection that was used before and still works.</summary>
    /// <param name="isRepeatable">The request can be sent again, so that a connection which was used a moment ago is taken without a look.</param>
    /// <param name="connection">The connection.</param>
    public bool TryTake(bool isRepeatable, [NotNullWhen(true)] out OriginConnection? connection)
    {
        while (true)
        {
            lock (_gate)
            {
                if (!_idle.TryPop(out connection)) return false;
            }
            if (isRepeatable && connection.IsClean && time.GetElapsedTime(connection.Returned) < FreshFor) return true;
            if (connection.IsUsable()) return true;
            connection.Release();
        }
    }

    /// <exception cref="OriginException">The application does not answer.</exception>
    public async ValueTask<OriginConnection> ConnectAsync(CancellationToken cancellationToken) =>
        new(await origin.ConnectAsync(cancellationToken));

    public void Return(OriginConnection connection)
    {
        connection.Uses++;
        connection.Returned = time.GetTimestamp();
        lock (_gate)
        {
            if (!_isDisposed && !connection.IsDisposed && _idle.Count < IdleMax)
            {
                _idle.Push(connection);
                return;
            }
        }
        connection.Release();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            while (_idle.TryPop(out var connection)) connection.Release();
        }
    }
}
