using Mooring.Tunnel.Links;

namespace Mooring.Tunnel.Client.Inspection;

/// <summary>One request and its answer, byte for byte as they went to and came from the application; what is too long is cut.</summary>
internal sealed class Transaction(ClientTunnel tunnel, string method, string path, string requestId, DateTimeOffset started)
{
    /// <summary>Bytes kept of each direction.</summary>
    internal const int BytesMax = 1024 * 1024;

    private readonly PooledBytes _request = new(0);
    private readonly PooledBytes _response = new(0);

    public long Id { get; set; }

    public ClientTunnel Tunnel => tunnel;

    public string Method => method;

    public string Path => path;

    public string RequestId => requestId;

    public DateTimeOffset Started => started;

    public int Status { get; set; }

    public TimeSpan Duration { get; set; }

    public bool IsRequestCut { get; private set; }

    public bool IsResponseCut { get; private set; }

    public ReadOnlyMemory<byte> Request { get; private set; }

    public ReadOnlyMemory<byte> Response { get; private set; }

    public void AddRequest(ReadOnlySpan<byte> bytes)
    {
        lock (_request) IsRequestCut |= !TryAdd(_request, bytes);
    }

    public void AddResponse(ReadOnlySpan<byte> bytes) => IsResponseCut |= !TryAdd(_response, bytes);

    /// <summary>Nothing more comes; the rented memory goes back.</summary>
    public void Finish(int status, TimeSpan duration)
    {
        (Status, Duration) = (status, duration);
        lock (_request)
        {
            Request = _request.Span.ToArray();
            _request.Dispose();
        }
        Response = _response.Span.ToArray();
        _response.Dispose();
    }

    private static bool TryAdd(PooledBytes kept, ReadOnlySpan<byte> bytes)
    {
        var room = BytesMax - kept.Length;
        kept.Append(bytes[..Math.Min(room, bytes.Length)]);
        return bytes.Length <= room;
    }
}
