using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using Mooring.Chat.Access;
using Mooring.Chat.Configuration;
using Mooring.Chat.History;
using Mooring.Chat.Http;
using Mooring.Chat.Lines;
using Mooring.Chat.Rooms;
using Mooring.Chat.Tcp;
using Mooring.Kernel.Metrics;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;

namespace Mooring.Chat;

/// <summary>A chat server: rooms that are reached by lines over TCP, by WebSocket and by REST.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class ChatServer : IAsyncDisposable
{
    private static readonly TimeSpan CertificatePeriod = TimeSpan.FromSeconds(60);

    private readonly ChatOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly ChatAccess _access;
    private readonly ReloadableCertificate? _certificate;
    private DurableHistory? _history;
    private ChatHub? _hub;
    private ChatMetrics? _metrics;
    private PrometheusExporter? _exporter;
    private LineProtocol? _protocol;
    private TcpLoop? _tcp;
    private ChatHttp? _http;
    private ITimer? _sweep;
    private Task? _drained;
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
        _options = options;
        _time = time;
        _loggers = loggers;
        _logger = loggers.CreateLogger<ChatServer>();
        var errors = new OptionsErrors();
        options.Validate(errors);
        _access = ChatAccess.Load(options, time, errors);
        _certificate = LoadCertificate(errors);
        errors.ThrowIfAny("");
    }

    /// <summary>The addresses of the line protocol, once it is started.</summary>
    public IReadOnlyList<IPEndPoint> SocketEndPoints => _tcp?.EndPoints ?? _http?.LineEndPoints ?? [];

    /// <summary>The address of REST and WebSocket; null when they are not served.</summary>
    public IPEndPoint? HttpEndPoint => _http?.EndPoint;

    /// <summary><c>http</c> or <c>https</c>.</summary>
    public string HttpScheme => _options.HttpUseSsl ? "https" : "http";

    /// <summary>Whether clients may come.</summary>
    public bool IsReady => _hub is { IsDraining: false } && _sweep is not null && !_isStopped;

    internal static string Version { get; } = typeof(ChatServer).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    internal ChatHub Hub => _hub ?? throw new InvalidOperationException("the server was not started");

    internal LineProtocol Protocol => _protocol ?? throw new InvalidOperationException("the server was not started");

    internal PrometheusExporter Metrics => _exporter ?? throw new InvalidOperationException("the server was not started");

    /// <summary>Opens all listeners, or none and throws.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>A task that ends when clients can come.</returns>
    /// <exception cref="IOException">A listener cannot be opened.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (_options.HistoryStore is { } store)
            _history = await DurableHistory.OpenAsync(store, _options.Limits.HistorySize, _time, _logger, cancellationToken).ConfigureAwait(false);
        var hub = _hub = new ChatHub(_options, _time, _logger, _access, _history);
        hub.Lobby = Tell;
        hub.OwnName = OwnName;
        hub.Heard = remark => Heard?.Invoke(remark);
        _metrics = new ChatMetrics(hub);
        _exporter = new PrometheusExporter(null, meter => meter == _metrics.Meter);
        _protocol = new LineProtocol(hub);
        try
        {
            if (_options.Mode != ChatMode.Http && !_options.UseSsl) _tcp = new TcpLoop(hub, _protocol, _options.Sockets, LogFaulted);
            if (_options.Mode != ChatMode.Socket || _options.UseSsl)
            {
                _http = new ChatHttp(this, hub, _certificate, _loggers);
                await _http.StartAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (SocketException exception)
        {
            await GiveUpStartAsync().ConfigureAwait(false);
            throw new IOException($"{string.Join(", ", _options.Sockets)} cannot be opened: {exception.SocketErrorCode}", exception);
        }
        catch
        {
            await GiveUpStartAsync().ConfigureAwait(false);
            throw;
        }
        _tcp?.Start();
        _certificate?.Watch(CertificatePeriod);
        _sweep = _time.CreateTimer(static state => ((ChatHub)state!).Sweep(), hub, ChatHub.SweepPeriod, ChatHub.SweepPeriod);
    }

    /// <summary>Takes new limits, tokens and certificates; what only a restart can change is logged.</summary>
    /// <param name="options">The options as they are now.</param>
    public void Reload(ChatOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var taken = _options.ReloadedFrom(options);
        Hub.Reload(taken);
        ReloadFiles();
        LogReloaded(ChatKeys.NamesOfDifferences(taken, options));
    }

    /// <summary>Tells every client, sends what was accepted, and closes.</summary>
    /// <returns>A task that ends when everything is closed.</returns>
    public async Task StopAsync()
    {
        if (_isStopped || _hub is not { } hub) return;
        _isStopped = true;
        await DrainAsync().ConfigureAwait(false);
        await hub.WhenEmptyAsync(hub.Options.ShutdownGrace).ConfigureAwait(false);
        if (_sweep is not null) await _sweep.DisposeAsync().ConfigureAwait(false);
        await CloseListenersAsync().ConfigureAwait(false);
        if (_history is not null) await _history.DisposeAsync().ConfigureAwait(false);
        _exporter?.Dispose();
        _metrics?.Dispose();
        _certificate?.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    /// <summary>Reads tokens and certificates again; what cannot be used changes nothing.</summary>
    internal void ReloadFiles()
    {
        _certificate?.ReloadIfChanged();
        var errors = new OptionsErrors();
        _access.Reload(errors);
        foreach (var error in errors.All) LogNotReloaded(error.ToString());
    }

    /// <summary>Lets nobody in any more, and tells the clients one after the other, so that they do not come back all at once.</summary>
    internal Task DrainAsync()
    {
        lock (_access) return _drained ??= DrainOnceAsync(Hub);
    }

    private async Task DrainOnceAsync(ChatHub hub)
    {
        hub.BeginDrain();
        _tcp?.StopAccepting();
        var sessions = hub.Sessions();
        var pause = sessions.Length == 0 ? TimeSpan.Zero : hub.Options.DrainWindow / sessions.Length;
        foreach (var session in sessions)
        {
            hub.Close(session, CloseReason.Shutdown, "the server is going down");
            if (pause <= TimeSpan.Zero) continue;
            hub.Outbox.Flush();
            await Task.Delay(pause, _time).ConfigureAwait(false);
        }
        hub.Outbox.Flush();
    }

    /// <summary>Nothing stays open of a start that failed.</summary>
    private async Task GiveUpStartAsync()
    {
        await CloseListenersAsync().ConfigureAwait(false);
        if (_history is not null) await _history.DisposeAsync().ConfigureAwait(false);
    }

    private async Task CloseListenersAsync()
    {
        _tcp?.Dispose();
        if (_http is null) return;
        await _http.StopAsync().ConfigureAwait(false);
        await _http.DisposeAsync().ConfigureAwait(false);
    }

    private ReloadableCertificate? LoadCertificate(OptionsErrors errors)
    {
        if (_options.CertPath is null || !(_options.UseSsl || _options.HttpUseSsl)) return null;
        try
        {
            return new ReloadableCertificate(_options.TlsFiles!, _time, _logger);
        }
        catch (TlsMaterialException exception)
        {
            errors.Add("cert_path", exception.Message);
            return null;
        }
    }

    [LoggerMessage(5001, LogLevel.Error, "a client made the server fail; it is closed")]
    private partial void LogFaulted(Exception exception);

    [LoggerMessage(5002, LogLevel.Information, "settings are taken; only a restart changes: {Rest}")]
    private partial void LogReloaded(string rest);

    [LoggerMessage(5003, LogLevel.Warning, "{Error}: the tokens stay as they were")]
    private partial void LogNotReloaded(string error);
}
