using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>The last requests of visitors, for operators who look. A slot is overwritten in place, so that noting a request makes no garbage.</summary>
internal sealed class RecentRequests(TimeProvider time)
{
    /// <summary>Requests kept: some screens full.</summary>
    internal const int Max = 256;

    /// <summary>Longest path kept.</summary>
    private const int PathMax = 300;

    private readonly Lock _gate = new();
    private readonly TunnelVisit[] _slots = new TunnelVisit[Max];
    private long _count;

    /// <summary>Requests so far.</summary>
    public long Count => Volatile.Read(ref _count);

    public void Add(IngressRequest request, TunnelBinding binding, TimeSpan duration)
    {
        var at = time.GetUtcNow();
        var path = request.Request.Path;
        lock (_gate)
        {
            _slots[(int)(_count % Max)] = new TunnelVisit(
                _count + 1, at, binding.Name, request.Request.Method, path.Length > PathMax ? path[..PathMax] : path, request.Response.StatusCode, duration,
                request.RemoteText, request.BytesOut);
            Volatile.Write(ref _count, _count + 1);
        }
    }

    /// <summary>The oldest first.</summary>
    public IReadOnlyList<TunnelVisit> Last()
    {
        lock (_gate)
        {
            var kept = (int)Math.Min(_count, Max);
            var last = new TunnelVisit[kept];
            for (var i = 0; i < kept; i++) last[i] = _slots[(int)((_count - kept + i) % Max)];
            return last;
        }
    }
}
