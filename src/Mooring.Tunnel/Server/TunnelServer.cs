using System.Net;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Events;
using Mooring.Storage;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Ingress;
using Mooring.Tunnel.Server.Names;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server;

/// <summary>The public end of tunnels: lets clients in, gives them names and ports, and carries visitors to them.</summary>
public sealed partial class TunnelServer : IAsyncDisposable
{
    private static readonly TimeSpan s_tickPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Ticks between two notes of what accounts carried: what a crash may forget.</summary>
    private const int TrafficTicks = 10;

    private readonly StorageOptions _storage;
    private readonly IServiceProvider _services;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly TunnelMetrics _metrics = new();
    private readonly RecentRequests _recent;
    private Database? _database;
    private IngressServer? _ingress;
    private TcpIngress? _tcp;
    private AccessLog? _accessLog;
    private SessionContext? _context;
    private ITimer? _ticker;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _stopGate = new();
    private readonly HashSet<Task> _releases = [];
    private Task _writingUses = Task.CompletedTask;
    private bool _isStopped;
    private int _ticks;

    /// <summary>Prepares a server; nothing is opened yet.</summary>
    /// <param name="options">How it runs.</param>
    /// <param name="storage">Where accounts and names are kept.</param>
    /// <param name="services">The host's services, for TLS.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="time">The clock.</param>
    public TunnelServer(TunnelServerOptions options, StorageOptions storage, IServiceProvider services, ILoggerFactory loggers, TimeProvider time)
    {
        Options = options;
        _storage = storage;
        _services = services;
        _loggers = loggers;
        _logger = loggers.CreateLogger<TunnelServer>();
        _time = time;
        Started = time.GetUtcNow();
        Directory = new TunnelDirectory(options.BaseDomain);
        Usages = new AccountUsages(time);
        _recent = new RecentRequests(time);
        Events = services.GetService(typeof(OperatorEvents)) as OperatorEvents ?? new OperatorEvents(time);
        Directory.Changed += Tell;
        Sessions = new SessionRegistry(options.Limits, time);
        Resolver = new DnsResolver(options.NameServer, time);
        _metrics.Observe(() => Sessions.Count, () => Directory.Count);
    }

    /// <summary>How it runs.</summary>
    public TunnelServerOptions Options { get; }

    /// <summary>Where visitors come in with HTTP; known when started.</summary>
    public IPEndPoint Http => Opened(_ingress).Http;

    /// <summary>Where visitors come in with HTTPS; null for nowhere.</summary>
    public IPEndPoint? Https => Opened(_ingress).Https;

    /// <summary>When it was made.</summary>
    internal DateTimeOffset Started { get; }

    /// <summary>It is up and takes clients in.</summary>
    public bool IsReady => _context is not null && !IsDraining;

    internal TunnelDirectory Directory { get; }

    internal SessionRegistry Sessions { get; }

    internal AccountUsages Usages { get; }

    internal bool IsDraining { get; private set; }

    internal AccountStore Accounts => Opened(_context).Accounts;

    internal NameStore Names { get; private set; } = null!;

    internal HostnameStore Hostnames { get; private set; } = null!;

    internal TakedownList Takedowns { get; private set; } = null!;

    /// <summary>What operators are told; those of the host, when it has any.</summary>
    internal OperatorEvents Events { get; }

    /// <summary>Cancelled when the server stops, for answers that have no end of their own.</summary>
    internal CancellationToken Stopping => _stopping.Token;

    internal TimeProvider Time => _time;

    internal DnsResolver Resolver { get; }

    /// <summary>Whether anybody may register.</summary>
    internal bool AllowsRegistration => Options.AllowsRegistration ?? IPAddress.IsLoopback(Options.Control.Address);

    /// <summary>Opens the store and the visitors' listeners.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        _database = await Database.OpenAsync(_storage, cancellationToken);
        await _database.MigrateAsync(AccountTables.Slice, AccountTables.Migrations, cancellationToken);
        var accounts = new AccountStore(_database, Options.Quota, _time);
        for (var i = 0; i < Options.OperatorTokens.Count; i++)
            await accounts.EnsureTokenAsync(Options.OperatorTokens[i], $"operator-{i + 1}", TokenScopes.Owner | TokenScopes.Admin, cancellationToken);
        Names = new NameStore(_database, _time);
        Hostnames = new HostnameStore(_database);
        Takedowns = new TakedownList(_database, _time);
        await Takedowns.LoadAsync(cancellationToken);
        var rules = new VisitorRules(Options);
        var addresses = new PublicAddresses(Options);
        var proxies = new ProxyHeaders(Options, rules, _metrics, _time, _logger);
        _tcp = new TcpIngress(Options, rules, proxies, _metrics, _time, _logger);
        _accessLog = new AccessLog(Options.AccessLog, _time, _logger);
        _ingress = new IngressServer(Options, proxies, _services, _time, _loggers);
        await _ingress.StartAsync(new IngressApplication(Options, Directory, Takedowns, rules, _metrics, _accessLog, _recent, _time, _logger), cancellationToken);
        addresses.Bound(_ingress.Http, _ingress.Https);
        var names = new NameAuthority(Options, addresses, Directory, Names, Hostnames, Takedowns, _tcp, _time);
        _context = new SessionContext(Options, accounts, Usages, names, _metrics, _time, _logger);
        _ticker = _time.CreateTimer(_ => Tick(), null, s_tickPeriod, s_tickPeriod);
        LogListening(_logger, Http.ToString());
    }

    /// <summary>Serves one control connection until it ends.</summary>
    internal async Task ServeControlAsync(Stream stream, string remote)
    {
        var context = Opened(_context);
        using var link = new WebSocketLink(stream, isClient: false, new LinkLimits(), _time);
        var entrance = new ControlEntrance(context, Sessions, link, remote);
        await using var deadline = _time.CreateTimer(
            _ =>
            {
                if (entrance.Session is null) link.Abort("no first message in time");
            }, null, Options.Limits.HandshakeTimeout, Timeout.InfiniteTimeSpan);
        var ending = await link.RunAsync(entrance);
        if (entrance.Session is not { } session) return;
        Sessions.Remove(session);
        session.OnEnded();
        LogEnded(_logger, session.Id, ending.Code, ending.Reason);
        await ReleaseAsync(context, session);
    }

    // Names of a server that stops stay with their accounts, and the storage waits for those that are being released.
    private async Task ReleaseAsync(SessionContext context, ServerSession session)
    {
        Task release;
        lock (_stopGate)
        {
            if (_isStopped) return;
            release = context.Names.ReleaseAsync(session);
            _releases.Add(release);
        }
        try
        {
            await release;
        }
        finally
        {
            lock (_stopGate) _releases.Remove(release);
        }
    }

    /// <summary>Serves one proxy connection of generation A until it ends.</summary>
    internal async Task ServeProxyAsync(Stream stream)
    {
        using var link = new WebSocketLink(stream, isClient: false, new LinkLimits(), _time);
        await new LegacyProxy(Sessions, link, _time).RunAsync(Options.Limits.HandshakeTimeout);
    }

    /// <summary>Takes no new clients; those that are there are told and then closed, a few at a time so that they do not all return at once.</summary>
    /// <param name="spread">Time that the clients are told they have.</param>
    /// <param name="cancellationToken">Cuts the wait for visitors under way short; the clients are closed all the same.</param>
    internal async Task DrainAsync(TimeSpan spread, CancellationToken cancellationToken)
    {
        IsDraining = true;
        var sessions = Sessions.All;
        foreach (var session in sessions) session.BeginDrain(spread);
        LogDraining(_logger, sessions.Count);
        TellOfDrain(isDraining: true);
        var limit = _time.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20), _time);
        try
        {
            while (sessions.Any(session => session.StreamCount > 0) && _time.GetElapsedTime(limit) < Options.Limits.DrainTimeout)
                await timer.WaitForNextTickAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Those that are still under way are cut.
        }
        await Task.WhenAll(sessions.Select(session => session.CloseAsync(CloseCodes.Restart, "the server stops")));
    }

    internal void Undrain()
    {
        IsDraining = false;
        TellOfDrain(isDraining: false);
    }

    /// <summary>Takes renewed certificates of visitors' listeners into use now; false when they cannot be used.</summary>
    internal bool TryReload() => Opened(_ingress).TryReload();

    /// <summary>Stops: visitors under way get a moment, clients are told to come back.</summary>
    /// <param name="cancellationToken">Cuts the moment short.</param>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        Task[] releases;
        lock (_stopGate)
        {
            if (_isStopped) return;
            _isStopped = true;
            releases = [.. _releases];
        }
        await _stopping.CancelAsync();
        if (_ticker is not null) await _ticker.DisposeAsync();
        if (_context is not null) await DrainAsync(Options.Limits.DrainTimeout, cancellationToken);
        _tcp?.Dispose();
        if (_ingress is not null)
        {
            await _ingress.StopAsync(cancellationToken);
            await _ingress.DisposeAsync();
        }
        if (_accessLog is not null) await _accessLog.DisposeAsync();
        await Task.WhenAll(releases);
        await _writingUses;
        if (_context is not null) await WriteUsesAsync(withTraffic: true);
        if (_database is not null) await _database.DisposeAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        _metrics.Dispose();
        _stopping.Dispose();
    }

    private void Tick()
    {
        Usages.Tick();
        _ticks++;
        if (_writingUses.IsCompleted) _writingUses = WriteUsesAsync(withTraffic: _ticks % TrafficTicks == 0);
        foreach (var session in Sessions.All) session.Tick();
    }

    private async Task WriteUsesAsync(bool withTraffic)
    {
        try
        {
            await Accounts.WriteUsesAsync();
            if (withTraffic && Usages.TakeTraffic() is { Count: > 0 } carried) await Accounts.WriteTrafficAsync(carried);
        }
        catch (Exception exception) when (exception is System.Data.Common.DbException or StorageException)
        {
            LogUsesNotWritten(_logger, exception.Message);
        }
    }

    private static T Opened<T>(T? part)
        where T : class => part ?? throw new InvalidOperationException("the server has not been started");

    [LoggerMessage(6005, LogLevel.Information, "session {Session} ended: {Code} {Reason}")]
    private static partial void LogEnded(ILogger logger, string session, int code, string reason);

    [LoggerMessage(6006, LogLevel.Information, "visitors come in at {Http}")]
    private static partial void LogListening(ILogger logger, string http);

    [LoggerMessage(6008, LogLevel.Warning, "when tokens were used last, and what accounts carried, could not be written: {Why}")]
    private static partial void LogUsesNotWritten(ILogger logger, string why);

    [LoggerMessage(6007, LogLevel.Information, "draining {Sessions} clients")]
    private static partial void LogDraining(ILogger logger, int sessions);
}
