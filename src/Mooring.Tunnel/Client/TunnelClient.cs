using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Mooring.Tunnel.Client.Legacy;
using Mooring.Tunnel.Client.Origin;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Client;

/// <summary>
/// Publishes local applications through a tunnel server and keeps them published: a lost connection is made again, with the same names.
/// </summary>
public sealed partial class TunnelClient : IAsyncDisposable
{
    private static readonly TimeSpan s_pingPeriod = TimeSpan.FromSeconds(20);

    private readonly TunnelClientOptions _options;
    private readonly ControlAddress _address;
    private readonly IReadOnlyList<ClientTunnel> _tunnels;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private readonly ServerTrust _trust;
    private TunnelWire _wire;
    private string _token;
    private string? _legacyId;

    private TunnelClient(TunnelClientOptions options, Func<TunnelDefinition, IOrigin> origin, ILoggerFactory? loggers, TimeProvider? time)
    {
        _options = options;
        _address = ControlAddress.Parse(options.Server);
        _token = options.Token;
        _time = time ?? TimeProvider.System;
        _tunnels = [.. options.Tunnels.Select(d => new ClientTunnel(d, origin(d), _time) { Observed = options.RequestObserved, Inspector = d.Inspect ? options.Inspector : null })];
        _logger = (loggers ?? NullLoggerFactory.Instance).CreateLogger<TunnelClient>();
        _trust = new ServerTrust(options.Authorities, options.IsInsecure, _time);
        Tunnels = [.. _tunnels.Select(tunnel => new PublishedTunnel(tunnel))];
        _wire = options.Wire;
        Status = new TunnelStatus(false, "Disconnected");
    }

    /// <summary>What is published.</summary>
    public IReadOnlyList<PublishedTunnel> Tunnels { get; }

    /// <summary>Where the client stands.</summary>
    public TunnelStatus Status { get; private set; }

    /// <summary>Ends when the client was disposed, or fails with a <see cref="TunnelException"/> when the server refused for good.</summary>
    public Task Completion => _running;

    /// <summary>Connects and publishes.</summary>
    /// <param name="options">Server, token and tunnels.</param>
    /// <param name="loggers">Where to log; null for nowhere.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The client, with every tunnel granted.</returns>
    /// <exception cref="TunnelException">The server cannot be reached or refused.</exception>
    public static Task<TunnelClient> ConnectAsync(
        TunnelClientOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null, CancellationToken cancellationToken = default) =>
        ConnectAsync(options, definition => new TcpOrigin(definition.LocalHost, definition.LocalPort), loggers, time, cancellationToken);

    internal static async Task<TunnelClient> ConnectAsync(
        TunnelClientOptions options, Func<TunnelDefinition, IOrigin> origin, ILoggerFactory? loggers, TimeProvider? time,
        CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(options.Tunnels.Count, nameof(options));
        if (options.Tunnels.FirstOrDefault(tunnel => !TunnelDefinition.IsHostHeader(tunnel.HostHeader)) is { } wrong)
            throw new TunnelException($"the Host header '{wrong.HostHeader}' is not allowed: visible ASCII characters without spaces", "INVALID_HOST_HEADER", TunnelOutcome.Invalid);
        var client = new TunnelClient(options, origin, loggers, time);
        client._running = client.RunAsync();
        try
        {
            var first = await Task.WhenAny(client._connected.Task, client._running).WaitAsync(cancellationToken);
            await first;
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends every tunnel.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var tunnel in _tunnels) tunnel.Dispose();
    }

    private async Task RunAsync()
    {
        var (failures, refusals, isTokenNew) = (0, 0, false);
        while (true)
        {
            TunnelException failure;
            try
            {
                SetStatus(new TunnelStatus(false, "Connecting..."));
                failure = await ConnectOnceAsync(() => (failures, refusals, isTokenNew) = (0, 0, false));
            }
            catch (TunnelException exception)
            {
                failure = exception;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                SetStatus(new TunnelStatus(false, "Disconnected"));
                return;
            }
            if (_stopping.IsCancellationRequested) return;
            if (failure.Code == ClientSession.GenerationA && _wire == TunnelWire.Automatic)
            {
                _wire = TunnelWire.A;
                continue;
            }
            try
            {
                if (!isTokenNew && await AnotherTokenAsync(failure) is { } another)
                {
                    (_token, isTokenNew) = (another, true);
                    continue;
                }
            }
            catch (TunnelApiException exception)
            {
                failure = new TunnelException($"{failure.Message}; another token could not be had: {exception.Message}", failure.Code, TunnelOutcome.Unreachable, exception);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            refusals = failure.Outcome == TunnelOutcome.Refused ? refusals + 1 : 0;
            await WaitAsync(failure, ++failures, refusals);
        }
    }

    private async Task<string?> AnotherTokenAsync(TunnelException failure) =>
        failure.Code == ErrorCodes.Unauthorized && _options.AnotherToken is { } ask
            ? await ask(_token, _wire == TunnelWire.A ? TunnelWire.A : TunnelWire.B, _stopping.Token) : null;

    private async Task WaitAsync(TunnelException failure, int failures, int refusals)
    {
        var isFirst = !_connected.Task.IsCompleted && !_options.KeepsTryingAtStart;
        if (isFirst || ReconnectPolicy.Next(failure.Outcome, failures, refusals, Random.Shared.NextDouble()) is not { } wait)
        {
            SetStatus(new TunnelStatus(false, "Error", failure));
            throw failure.Outcome == TunnelOutcome.Refused && !isFirst
                ? new TunnelException($"{failure.Message}; refused {refusals} times [RETRY_BUDGET_EXHAUSTED]", "RETRY_BUDGET_EXHAUSTED", TunnelOutcome.Exhausted, failure)
                : failure;
        }
        SetStatus(new TunnelStatus(false, string.Create(CultureInfo.InvariantCulture, $"Reconnecting in {Math.Ceiling(wait.TotalSeconds):0}s..."), failure));
        // It is told while the wait runs, so that who hears of it may shorten it by the clock.
        var waiting = Task.Delay(wait, _time, _stopping.Token);
        LogRetrying(_logger, failure.Message, wait.TotalSeconds);
        await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>One connection from its beginning to its end; returns why it ended after it was up.</summary>
    private async Task<TunnelException> ConnectOnceAsync(Action up)
    {
        var stream = await WebSocketDialer.DialAsync(_address, _address.ControlPath, _wire == TunnelWire.A ? _token : null, _trust, _time, _stopping.Token);
        using var link = new WebSocketLink(stream, isClient: true, new LinkLimits(), _time);
        return _wire == TunnelWire.A ? await RunLegacyAsync(link, up) : await RunAsync(link, up);
    }

    private async Task<TunnelException> RunAsync(WebSocketLink link, Action up)
    {
        var session = new ClientSession(link, _tunnels, _time, _logger);
        var reading = session.RunAsync();
        try
        {
            await session.HandshakeAsync(_token, Capabilities.All, ProtocolVersion.Three, _stopping.Token);
            Connected(up, $"B/{session.Frames.Version}");
            await KeepAliveAsync(link, reading);
        }
        finally
        {
            await CloseAsync(link, reading);
        }
        return Ended(await reading);
    }

    private async Task<TunnelException> RunLegacyAsync(WebSocketLink link, Action up)
    {
        var session = new LegacyClientSession(
            link, _tunnels, _address, stop => WebSocketDialer.DialAsync(_address, _address.ProxyPath, _token, _trust, _time, stop), _time, _logger);
        var reading = session.RunAsync();
        try
        {
            await session.HandshakeAsync(_token, _legacyId, _stopping.Token);
            _legacyId = session.ClientId;
            Connected(up, "A");
            await session.KeepAliveAsync(reading, _stopping.Token);
        }
        finally
        {
            await CloseAsync(link, reading);
        }
        return Ended(await reading);
    }

    private void Connected(Action up, string generation)
    {
        up();
        foreach (var tunnel in Tunnels) LogPublished(_logger, tunnel.Url, tunnel.Definition.LocalPort);
        SetStatus(new TunnelStatus(true, "Connected"));
        LogConnected(_logger, _address.ToString(), generation);
        _connected.TrySetResult();
    }

    private static async Task CloseAsync(WebSocketLink link, Task reading)
    {
        if (!reading.IsCompleted) await link.CloseAsync(Protocol.CloseCodes.Normal, "");
        link.Abort("closed");
        await reading;
    }

    private TunnelException Ended(LinkEnding ending)
    {
        _stopping.Token.ThrowIfCancellationRequested();
        return new TunnelException(
            $"{_address}: the connection ended ({(ending.Reason.Length > 0 ? ending.Reason : ending.Code.ToString(CultureInfo.InvariantCulture))})",
            $"CLOSED_{ending.Code}", ending.Code switch
            {
                Protocol.CloseCodes.Kicked => TunnelOutcome.Refused,
                // Another client of the account wants the name; coming back would take it from that one, and so on for ever.
                Protocol.CloseCodes.Replaced => TunnelOutcome.Terminal,
                _ => TunnelOutcome.Unreachable,
            });
    }

    private async Task KeepAliveAsync(WebSocketLink link, Task reading)
    {
        using var timer = new PeriodicTimer(s_pingPeriod, _time);
        while (!reading.IsCompleted)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, link.Ended);
            try
            {
                if (link.IsStuck || link.Silence > s_pingPeriod + _options.PongTimeout) link.Abort("the server does not answer");
                else link.Ping();
                await timer.WaitForNextTickAsync(stop.Token);
            }
            catch (OperationCanceledException)
            {
                if (_stopping.IsCancellationRequested) return;
                await reading;
            }
        }
    }

    private void SetStatus(TunnelStatus status)
    {
        Status = status;
        _options.StatusChanged?.Invoke(status);
    }

    [LoggerMessage(6510, LogLevel.Information, "connected to {Server}, generation {Generation}")]
    private static partial void LogConnected(ILogger logger, string server, string generation);

    [LoggerMessage(6512, LogLevel.Debug, "published {Url} for port {Port}")]
    private static partial void LogPublished(ILogger logger, string url, int port);

    [LoggerMessage(6511, LogLevel.Warning, "{Failure}; trying again in {Seconds:0.0} s")]
    private static partial void LogRetrying(ILogger logger, string failure, double seconds);
}
