using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Topics;
using Mooring.Kernel.Links;
using Mooring.Kernel.Tls;
using Mooring.SocketIO;

namespace Mooring.Edge.Agent.Hubs;

/// <summary>The agent's connection to its hub: topics in, answers and events out, a heartbeat while it is up.</summary>
internal sealed partial class HubLink : IHubOutbox
{
    /// <summary>Events that wait for the hub. They are news: when more come than go, the oldest is dropped.</summary>
    internal const int MaxWaitingEvents = 1_000;

    // Until there was a connection the operator stands beside the machine and is just entering its id; after that a hub that comes back
    // must not be stormed.
    private static readonly BackoffPolicy FirstConnect = BackoffPolicy.Fixed(TimeSpan.FromSeconds(5));

    private static readonly BackoffPolicy Reconnect = new()
    {
        First = TimeSpan.FromSeconds(1), Minimum = TimeSpan.FromSeconds(1), Cap = TimeSpan.FromSeconds(30), Jitter = 0.3,
    };

    private readonly AgentOptions _options;
    private readonly ReloadableCertificate _certificate;
    private readonly IServiceProvider _services;
    private readonly ILogger _logger;
    private readonly SocketIOClient _client;
    private readonly Channel<(string Name, JsonObject Message)> _events;

    public HubLink(
        AgentOptions options, ReloadableCertificate certificate, IServiceProvider services, TimeProvider time, ILoggerFactory loggers)
    {
        (_options, _certificate, _services) = (options, certificate, services);
        _logger = loggers.CreateLogger<HubLink>();
        _events = Channel.CreateBounded<(string, JsonObject)>(
            new BoundedChannelOptions(MaxWaitingEvents) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        _client = new SocketIOClient(new SocketIOClientOptions
        {
            Address = options.Server,
            Tls = TlsOfThisMoment,
            Backoff = Reconnect,
            BackoffUntilFirstConnect = FirstConnect,
        }, time, loggers);
        _client.Link.Moved += move =>
        {
            if (move.To == LinkState.Up) LogUp(_logger, _options.Server);
            else if (move.From == LinkState.Up) LogDown(_logger, _options.Server, move.Reason ?? "no reason was given");
        };
    }

    /// <summary>Raised when the hub has let the agent in; the token ends with the connection.</summary>
    public event Func<CancellationToken, Task>? Joined;

    /// <summary>How the connection is.</summary>
    public LinkState State => _client.Link.State;

    /// <summary>How often a connection came up.</summary>
    public long Connections => _client.Link.CountOf(LinkState.Connecting, LinkState.Up);

    /// <summary>Whether the hub has let the agent in.</summary>
    public bool IsUp => _client.Root.IsConnected;

    /// <inheritdoc/>
    public void Emit(string name, JsonObject message) => _events.Writer.TryWrite((name, message));

    /// <summary>Stays connected until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // Asked for here: topics need this object to send events.
        var topics = _services.GetRequiredService<TopicTable>();
        _client.Root.OnConnected(RunConnectionAsync).OnOther((_, happened) => HandleAsync(topics, happened, cancellationToken));
        await _client.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask RunConnectionAsync(CancellationToken left)
    {
        var joined = Joined?.Invoke(left) ?? Task.CompletedTask;
        try
        {
            await foreach (var (name, message) in _events.Reader.ReadAllAsync(left).ConfigureAwait(false))
                await _client.Root.EmitAsync(name, message, HubMessageJson.Default.JsonObject, left).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketIOCallException)
        {
            // The connection ended; what still waits goes out over the next one.
        }
        await joined.ConfigureAwait(false);
    }

    private async ValueTask HandleAsync(TopicTable topics, SocketIOEvent happened, CancellationToken cancellationToken)
    {
        // Answers of hubs to heartbeats are no requests.
        if (!happened.WantsAck && !topics.Names.Contains(happened.Name)) return;
        using var message = happened.Count > 0 ? JsonDocument.Parse(happened.GetJson(0).ToArray()) : null;
        var answer = await topics.AnswerAsync(happened.Name, message?.RootElement ?? default, cancellationToken).ConfigureAwait(false);
        if (!happened.WantsAck) return;
        try
        {
            await happened.AckAsync(answer, HubMessageJson.Default.JsonObject, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketIOCallException e)
        {
            LogNotAnswered(_logger, happened.Name, e.Message);
            if (e.Error == SocketIOCallError.TooLarge)
                await happened.AckAsync(Answers.Error(e.Message, "answer_too_large"), HubMessageJson.Default.JsonObject, cancellationToken).ConfigureAwait(false);
        }
    }

    private TlsMaterial TlsOfThisMoment()
    {
        // A renewed certificate takes effect at the next connection.
        _certificate.ReloadIfChanged();
        return _certificate.Current;
    }

    [LoggerMessage(7060, LogLevel.Information, "connected to the hub at {Server}")]
    private static partial void LogUp(ILogger logger, Uri server);

    [LoggerMessage(7061, LogLevel.Warning, "the connection to the hub at {Server} ended: {Reason}")]
    private static partial void LogDown(ILogger logger, Uri server, string reason);

    [LoggerMessage(7062, LogLevel.Warning, "the answer to {Topic} could not be sent: {Reason}")]
    private static partial void LogNotAnswered(ILogger logger, string topic, string reason);
}

/// <summary>How messages to the hub are written.</summary>
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class HubMessageJson : JsonSerializerContext;
