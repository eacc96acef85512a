using System.Net;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Mooring.Kernel.Tls;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>The public HTTP listeners: a Kestrel of their own, so that nothing of the control side can be reached through them.</summary>
internal sealed class IngressServer : IAsyncDisposable
{
    /// <summary>What may wait for a visitor's socket before the client is held back.</summary>
    private const int ResponseBufferBytes = 256 * 1024;

    /// <summary>Below this there is no visitor, only a connection: Kestrel's own default.</summary>
    private const double MinResponseBytesPerSecond = 240;

    /// <summary>Kestrel takes no shorter patience.</summary>
    private static readonly TimeSpan s_graceMin = TimeSpan.FromSeconds(2);

    private readonly KestrelServer _server;
    private readonly ReloadableCertificate? _certificate;
    private readonly ListenOptions[] _bound;

    public IngressServer(TunnelServerOptions options, ProxyHeaders proxies, IServiceProvider services, TimeProvider time, ILoggerFactory loggers)
    {
        var kestrel = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false, AllowSynchronousIO = false };
        var limits = kestrel.Limits;
        limits.MaxRequestBodySize = null;
        limits.MaxRequestHeadersTotalSize = options.Limits.HeaderBytesMax;
        limits.MaxRequestHeaderCount = options.Limits.HeaderFieldsMax;
        limits.MaxRequestLineSize = options.Limits.HeaderBytesMax;
        limits.MaxResponseBufferSize = ResponseBufferBytes;
        limits.MinRequestBodyDataRate = null;
        // A visitor that reads nothing is given up; one that reads slowly is not.
        limits.MinResponseDataRate = new MinDataRate(
            MinResponseBytesPerSecond, options.Limits.IdleTimeout > s_graceMin ? options.Limits.IdleTimeout : s_graceMin);
        kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
        // Nothing here blocks, so whoever has the bytes sends them: the hop to another thread costs more than the sending (docs/operating/performance.md).
        // From the host's settings comes its pool of pinned buffers; without it each buffer is rented and pinned by itself.
        var transport = services.GetRequiredService<IOptionsFactory<SocketTransportOptions>>().Create(Options.DefaultName);
        (transport.NoDelay, transport.UnsafePreferInlineScheduling, transport.WaitForDataBeforeAllocatingBuffer) = (true, true, false);
        var sockets = new SocketTransportFactory(Options.Create(transport), loggers);
        var priorKnowledge = new PriorKnowledge(sockets, time);
        var bound = new List<ListenOptions>();
        kestrel.Listen(options.Http, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => proxies.ServeAsync(connection, next));
            listen.Use(next => connection => priorKnowledge.ChooseAsync(connection, next));
            bound.Add(listen);
        });
        kestrel.Listen(priorKnowledge.EndPoint, listen => listen.Protocols = HttpProtocols.Http2);
        if (options is { Https: { } https, HttpsTls: { } files })
        {
            _certificate = new ReloadableCertificate(files, time, loggers.CreateLogger<ReloadableCertificate>()).Watch();
            kestrel.Listen(https, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.Use(next => connection => proxies.ServeAsync(connection, next));
                listen.UseTls(_certificate);
                bound.Add(listen);
            });
        }
        _bound = [.. bound];
        _server = new KestrelServer(Options.Create(kestrel), priorKnowledge, loggers);
    }

    public IPEndPoint Http => _bound[0].IPEndPoint!;

    public IPEndPoint? Https => _bound.Length > 1 ? _bound[1].IPEndPoint : null;

    /// <summary>Looks at the certificate's files now; false when what they hold cannot be used.</summary>
    public bool TryReload() => _certificate?.ReloadIfChanged() != ReloadResult.Failed;

    public Task StartAsync(IngressApplication application, CancellationToken cancellationToken) => _server.StartAsync(application, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _server.StopAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        _certificate?.Dispose();
        return ValueTask.CompletedTask;
    }
}
