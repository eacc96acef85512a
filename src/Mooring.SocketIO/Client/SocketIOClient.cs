using System.Collections.Concurrent;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;
using Mooring.Kernel.Options;
using Mooring.SocketIO.Client;

namespace Mooring.SocketIO;

/// <summary>
/// A Socket.IO client that stays connected. It speaks protocol 5 over Engine.IO 4, as servers 3 and 4 do.
/// <code>
/// var client = new SocketIOClient(new() { Address = new("https://hub.example.org:3001") }, TimeProvider.System, loggers);
/// client.Root.On("greet", (_, e) => e.AckAsync(new SocketIOArguments().Add("hello")));
/// await client.RunAsync(stopping);
/// </code>
/// </summary>
public sealed class SocketIOClient
{
    private readonly ConcurrentDictionary<string, SocketIOClientNamespace> _namespaces = new(StringComparer.Ordinal);
    private readonly SocketIOClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Reconnector _reconnector;
    private volatile ClientConnection? _connection;

    /// <summary>Creates a client; nothing is sent before <see cref="RunAsync"/>.</summary>
    /// <param name="options">Where to connect to, and how.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Makes its logger.</param>
    /// <exception cref="ConfigurationException">With everything that is wrong in the options.</exception>
    public SocketIOClient(SocketIOClientOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        var errors = new OptionsErrors();
        options.Validate("socketIO", errors);
        errors.ThrowIfAny("");
        (_options, _time, _logger) = (options, time, loggers.CreateLogger("Mooring.SocketIO.Client"));
        Link = new LinkMachine(time, _logger);
        _reconnector = new Reconnector(Link, options.Backoff, time, Random.Shared.NextDouble, _logger, options.BackoffUntilFirstConnect);
    }

    /// <summary>Whether it is connected, and why not.</summary>
    public LinkMachine Link { get; }

    /// <summary>The namespace of those who name none.</summary>
    public SocketIOClientNamespace Root => Of("/");

    /// <summary>How the packets travel now; null without a connection.</summary>
    public SocketIOTransports? Transport => _connection?.Transport;

    /// <summary>
    /// The largest message that the server takes; null without a connection. What is larger is not sent:
    /// <see cref="SocketIOCallError.TooLarge"/>.
    /// </summary>
    public int? ServerPayloadBytesMax => _connection?.ServerPayloadBytesMax;

    /// <summary>A namespace, which is joined in every connection from now on.</summary>
    /// <param name="name">Its name, which begins with a slash.</param>
    /// <returns>The namespace.</returns>
    public SocketIOClientNamespace Of(string name)
    {
        if (_namespaces.TryGetValue(name, out var present)) return present;
        SocketIONamespace.CheckName(name);
        var created = _namespaces.GetOrAdd(name, n => new SocketIOClientNamespace(n));
        _connection?.Join(created);
        return created;
    }

    /// <summary>
    /// Connects, and connects again whenever the connection ends, until it is cancelled; then what waits is sent and the server is told.
    /// </summary>
    /// <param name="cancellationToken">Stops the client. Cancellation is a normal end: nothing is thrown.</param>
    /// <returns>Why the client stopped.</returns>
    public Task<string> RunAsync(CancellationToken cancellationToken)
    {
        // Without a wish, the root.
        if (_namespaces.IsEmpty) Of("/");
        return _reconnector.RunAsync(OnceAsync, cancellationToken);
    }

    private async Task<LinkEnd> OnceAsync(Action up, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.ConnectTimeout, _time);
        using var connecting = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var dialler = new Dialler(_options, _time, _logger);
        try
        {
            var (handshake, carrier) = await dialler.OpenAsync(connecting.Token);
            using var connection = new ClientConnection(_options, handshake, carrier, _time, _logger);
            // First for everyone to see, then all namespaces: one that is asked for meanwhile is joined by the one or the other.
            _connection = connection;
            foreach (var (_, nsp) in _namespaces) connection.Join(nsp);
            return await connection.RunAsync(up, limit.Token, cancellationToken);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return LinkEnd.Retry($"no connection within {_options.ConnectTimeout.TotalSeconds:0.###} s");
        }
        catch (HttpRequestException e)
        {
            return LinkEnd.Retry(Dialler.Explain(e));
        }
        catch (WebSocketException e)
        {
            return LinkEnd.Retry(e.Message);
        }
        finally
        {
            _connection = null;
        }
    }
}
