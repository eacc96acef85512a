using Mooring.Tunnel.Client.Inspection;
using Mooring.Tunnel.Client.Origin;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Client;

/// <summary>A tunnel of the client through all its connections: what was asked for, what was granted, where it leads, what went through.</summary>
internal sealed class ClientTunnel : IDisposable
{
    private readonly Lazy<HttpClient> _http;
    private long _bytesIn;
    private long _bytesOut;
    private long _requests;

    public ClientTunnel(TunnelDefinition definition, IOrigin origin, TimeProvider time)
    {
        Definition = definition;
        Pool = new OriginPool(origin, time);
        _http = new Lazy<HttpClient>(() => new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            EnableMultipleHttp2Connections = true,
            ConnectCallback = async (_, cancellationToken) =>
            {
                try
                {
                    return await origin.ConnectAsync(cancellationToken);
                }
                catch (OriginException exception)
                {
                    throw new HttpRequestException(exception.Message, exception);
                }
            },
        })
        { Timeout = Timeout.InfiniteTimeSpan });
    }

    public TunnelDefinition Definition { get; }

    public OriginPool Pool { get; }

    /// <summary>For an application that speaks HTTP/2, and for generation A, where whole messages are wanted.</summary>
    public HttpClient Http => _http.Value;

    /// <summary>What the server gave last; null before.</summary>
    public TunnelGrant? Grant { get; private set; }

    /// <summary>Payload bytes from visitors to the application.</summary>
    public long BytesIn => Volatile.Read(ref _bytesIn);

    /// <summary>Payload bytes from the application to visitors.</summary>
    public long BytesOut => Volatile.Read(ref _bytesOut);

    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Told after each exchange.</summary>
    public Action<ObservedRequest>? Observed { get; init; }

    /// <summary>Keeps exchanges; null for none.</summary>
    public TunnelInspector? Inspector { get; init; }

    public void Granted(TunnelGrant grant) => Grant = grant;

    public void Received(int bytes) => Interlocked.Add(ref _bytesIn, bytes);

    public void Sent(int bytes) => Interlocked.Add(ref _bytesOut, bytes);

    public void Count() => Interlocked.Increment(ref _requests);

    /// <summary>What to ask for: the same name as before, once there was one.</summary>
    public TunnelRequest Ask() => new(
        Definition.Protocol == TunnelProtocol.Tcp ? "tcp" : "http",
        Subdomain: Definition is { Protocol: TunnelProtocol.Http, Hostname: null, IsSpa: false } ? Definition.Subdomain ?? Grant?.Subdomain : null,
        Path: Definition.IsSpa ? Grant?.Path ?? "" : null,
        RemotePort: Definition.Protocol == TunnelProtocol.Tcp ? Definition.RemotePort ?? Grant?.RemotePort : null,
        Hostname: Definition.Hostname,
        Auth: Definition.Auth);

    public void Dispose()
    {
        Pool.Dispose();
        if (_http.IsValueCreated) _http.Value.Dispose();
    }
}
