using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Options;
using Mooring.SocketIO.Server;

namespace Mooring.SocketIO;

/// <summary>A Socket.IO server inside an ASP.NET Core application. It speaks protocol 5 over Engine.IO 4, as clients 3 and 4 do.</summary>
public sealed class SocketIOServer : IDisposable
{
    private const int SocketIdBytes = 15;

    private readonly ConcurrentDictionary<string, SocketIONamespace> _namespaces = new(StringComparer.Ordinal);
    private readonly EngineEndpoint _endpoint;

    /// <summary>Creates a server; clients reach it once it is mapped to a path.</summary>
    /// <param name="options">How it treats its clients.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Makes its logger.</param>
    /// <exception cref="ConfigurationException">With everything that is wrong in the options.</exception>
    public SocketIOServer(SocketIOServerOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        var errors = new OptionsErrors();
        options.Validate("socketIO", errors);
        errors.ThrowIfAny("");
        var logger = loggers.CreateLogger("Mooring.SocketIO.Server");
        Root = Of("/");
        _endpoint = new EngineEndpoint(
            options, time, logger, session => new ServerConnection(this, session, options, time, logger));
    }

    /// <summary>The namespace that clients join when they name none.</summary>
    public SocketIONamespace Root { get; }

    /// <summary>Connections that are open now.</summary>
    public int ConnectionCount => _endpoint.Count;

    /// <summary>A namespace, made at the first call. Clients cannot join one that was never asked for here.</summary>
    /// <param name="name">Its name, which begins with a slash.</param>
    /// <returns>The namespace.</returns>
    public SocketIONamespace Of(string name)
    {
        SocketIONamespace.CheckName(name);
        return _namespaces.GetOrAdd(name, static n => new SocketIONamespace(n));
    }

    /// <summary>Ends all connections and takes no more.</summary>
    public void Dispose() => _endpoint.Stop();

    /// <summary>Serves one request, for an application that finds its way without endpoints.</summary>
    /// <param name="context">The request.</param>
    /// <returns>When it is answered; for a WebSocket, when it has ended.</returns>
    public Task HandleAsync(HttpContext context) => _endpoint.HandleAsync(context);

    internal SocketIONamespace? Find(string name) => _namespaces.GetValueOrDefault(name);

    internal static string NewSocketId() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(SocketIdBytes)).Replace('+', '-').Replace('/', '_');
}
