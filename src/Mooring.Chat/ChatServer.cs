using System.Net;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Mooring.Chat.Access;
using Mooring.Chat.Configuration;
using Mooring.Chat.Lines;
using Mooring.Chat.Rooms;
using Mooring.Chat.Tcp;
using Mooring.Kernel.Options;

namespace Mooring.Chat;

/// <summary>A chat server: rooms that are reached by lines over TCP, by WebSocket and by REST.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class ChatServer : IAsyncDisposable
{
    private readonly ChatOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ChatAccess _access;
    private ChatHub? _hub;
    private TcpLoop? _tcp;
    private ITimer? _sweep;
    private bool _isStopped;

    /// <summary>Checks the options and the files that they name; nothing is opened yet.</summary>
    /// <param name="options">How it runs.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ConfigurationException">The options cannot be used.</exception>
    public ChatServer(ChatOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        var errors = new OptionsErrors();
        options.Validate(errors);
        _access = ChatAccess.Load(options.AuthTokensPath, options.AdminToken, errors);
        errors.ThrowIfAny(options.ConfigFile ?? "");
        _options = options;
        _time = time;
        _logger = loggers.CreateLogger<ChatServer>();
    }

    /// <summary>The addresses of the line protocol, once it is started.</summary>
    public IReadOnlyList<IPEndPoint> SocketEndPoints => _tcp?.EndPoints ?? [];

    internal ChatHub Hub => _hub ?? throw new InvalidOperationException("the server was not started");

    /// <summary>Opens all listeners, or none and throws.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A task that ends when clients can come.</returns>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        _hub = new ChatHub(_options, _time, _logger, _access);
        if (_options.Mode != ChatMode.Http)
        {
            _tcp = new TcpLoop(_hub, new LineProtocol(_hub), _options.Sockets, LogFaulted);
            _tcp.Start();
        }
        _sweep = _time.CreateTimer(static hub => ((ChatHub)hub!).Sweep(), _hub, ChatHub.SweepPeriod, ChatHub.SweepPeriod);
        return Task.CompletedTask;
    }

    /// <summary>Tells every client, sends what was accepted, and closes.</summary>
    /// <returns>A task that ends when everything is closed.</returns>
    public async Task StopAsync()
    {
        if (_isStopped || _hub is null) return;
        _isStopped = true;
        _hub.BeginDrain();
        _tcp?.StopAccepting();
        await DismissAsync(_hub).ConfigureAwait(false);
        await _hub.WhenEmptyAsync(_options.ShutdownGrace).ConfigureAwait(false);
        if (_sweep is not null) await _sweep.DisposeAsync().ConfigureAwait(false);
        _tcp?.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    /// <summary>Tells the clients one after the other, so that they do not come back all at once.</summary>
    private async Task DismissAsync(ChatHub hub)
    {
        var sessions = hub.Sessions();
        var pause = sessions.Length == 0 ? TimeSpan.Zero : _options.DrainWindow / sessions.Length;
        foreach (var session in sessions)
        {
            hub.Close(session, CloseReason.Shutdown, "the server is going down");
            if (pause <= TimeSpan.Zero) continue;
            hub.Outbox.Flush();
            await Task.Delay(pause, _time).ConfigureAwait(false);
        }
        hub.Outbox.Flush();
    }

    [LoggerMessage(5001, LogLevel.Error, "a client made the server fail; it is closed")]
    private partial void LogFaulted(Exception exception);
}
