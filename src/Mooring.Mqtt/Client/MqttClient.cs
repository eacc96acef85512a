using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Mooring.Kernel.Links;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Mqtt.Client.Connections;
using Mooring.Mqtt.Client.Sessions;
using Mooring.Mqtt.Client.Transports;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tracing;

namespace Mooring.Mqtt.Client;

/// <summary>
/// An MQTT client for any broker: keeps its link up, subscribes again after a reconnect, and has publishers wait instead of losing
/// messages. All members may be used from any thread.
/// </summary>
/// <example>
/// <code>
/// await using var client = new MqttClient(new MqttClientOptions { Server = new Uri("mqtt://localhost") });
/// await client.StartAsync(cancellationToken);
/// await client.SubscribeAsync(new MqttSubscription("greetings/#"), (message, _) => { /* ... */ return default; });
/// await client.PublishAsync(new MqttMessage { Topic = "greetings/hello", Payload = payload });
/// </code>
/// </example>
public sealed class MqttClient : IMqttClient
{
    private readonly MqttClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ClientLog _log;
    private readonly LinkMachine _machine;
    private readonly IDialer _dialer;
    private readonly ClientSession _session;
    private readonly Inbox _inbox;
    private readonly Dispatcher _dispatcher;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _firstUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _starting = new();
    private Task _running = Task.CompletedTask;
    private MqttRefusedException? _refusal;
    private string _clientId;
    private bool _started;
    private bool _hasConnected;

    /// <summary>Creates a client; <see cref="StartAsync"/> connects it.</summary>
    /// <param name="options">How it connects.</param>
    /// <param name="logger">Told about connections and failures; null for nobody.</param>
    /// <param name="time">Clock for keep-alive, time-outs and waits; null for the system's.</param>
    /// <exception cref="ConfigurationException">With everything that is wrong in the options.</exception>
    public MqttClient(MqttClientOptions options, ILogger<MqttClient>? logger = null, TimeProvider? time = null)
        : this(options, logger, time, dialer: null)
    {
    }

    internal MqttClient(MqttClientOptions options, ILogger? logger, TimeProvider? time, IDialer? dialer)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time ?? TimeProvider.System;
        _logger = logger ?? NullLogger.Instance;
        _dialer = dialer ?? CreateDialer(options, _time, _logger);
        _log = new ClientLog(_logger);
        _clientId = options.ClientId ?? $"mooring-{Guid.NewGuid().ToString("N")[..12]}";
        _machine = new LinkMachine(_time, _logger);
        _session = new ClientSession(options, _log);
        _inbox = new Inbox(options.Limits, _time, _log);
        _dispatcher = new Dispatcher(this, _session, _inbox, _log);
    }

    /// <inheritdoc/>
    public event Action<LinkTransition>? LinkChanged
    {
        add => _machine.Moved += value;
        remove => _machine.Moved -= value;
    }

    /// <inheritdoc/>
    public string ClientId => Volatile.Read(ref _clientId);

    /// <inheritdoc/>
    public LinkState State => _machine.State;

    /// <summary>QoS 0 messages dropped on receipt, because the handlers could not keep up.</summary>
    public long DroppedMessages => _inbox.Dropped;

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_starting)
        {
            if (!_started && _machine.StopReason is null)
            {
                _started = true;
                _running = Task.Run(RunAsync, CancellationToken.None);
            }
        }
        if (_started) await _firstUp.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_machine.StopReason is { } reason) throw new InvalidOperationException($"the client is stopped: {reason}");
    }

    /// <inheritdoc/>
    public ValueTask PublishAsync(MqttMessage message, CancellationToken cancellationToken = default) =>
        SendAsync(message, completesWhenQueued: false, cancellationToken);

    /// <inheritdoc/>
    public ValueTask EnqueueAsync(MqttMessage message, CancellationToken cancellationToken = default) =>
        SendAsync(message, completesWhenQueued: true, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<IAsyncDisposable> SubscribeAsync(
        MqttSubscription subscription, MqttMessageHandler handler, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        ArgumentNullException.ThrowIfNull(handler);
        cancellationToken.ThrowIfCancellationRequested();
        var (entry, acknowledged) = _session.Subscribe(subscription, handler);
        try
        {
            await AwaitAsync(new ValueTask(acknowledged.WaitAsync(cancellationToken))).ConfigureAwait(false);
        }
        catch
        {
            _ = _session.Unsubscribe(entry, handler);
            throw;
        }
        return new Registration(this, entry, handler);
    }

    /// <inheritdoc/>
    public async Task StopAsync(TimeSpan drain)
    {
        if (drain > TimeSpan.Zero && State == LinkState.Up)
        {
            using var deadline = new CancellationTokenSource(drain, _time);
            await _session.WhenDrained().WaitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        _machine.RequestStop(Reconnector.StoppedByRequest);
        lock (_starting)
        {
            if (!_started) _machine.TryMove(LinkState.Stopped);
        }
        await _stopping.CancelAsync().ConfigureAwait(false);
        _session.Stop(new OperationCanceledException(_machine.StopReason));
        _dispatcher.Stop();
        // A handler that stops its own client cannot be waited for.
        if (!Dispatcher.IsHandlerOf(this)) await _running.ConfigureAwait(false);
    }

    /// <summary>Stops at once: DISCONNECT is sent, what is queued is not.</summary>
    /// <returns>Ends when nothing of the client runs any more.</returns>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
        _dialer.Dispose();
    }

    private static IDialer CreateDialer(MqttClientOptions options, TimeProvider time, ILogger logger)
    {
        var errors = new OptionsErrors();
        options.Validate(errors);
        ReloadableCertificate? tls = null;
        try
        {
            if (options.Server.IsAbsoluteUri && options.UsesTls) tls = new ReloadableCertificate(options.Tls ?? new TlsFiles(), time, logger);
        }
        catch (TlsMaterialException e)
        {
            errors.Add("tls", e.Message);
        }
        if (!errors.IsEmpty) tls?.Dispose();
        errors.ThrowIfAny("MQTT client");
        var line = new SocketDialer(options, tls);
        return options.UsesWebSocket ? new WebSocketDialer(options, line) : line;
    }

    private ValueTask SendAsync(MqttMessage message, bool completesWhenQueued, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        return MqttTracing.IsOn
            ? SendTracedAsync(message, completesWhenQueued, cancellationToken) : QueueAsync(message, completesWhenQueued, cancellationToken);
    }

    private async ValueTask SendTracedAsync(MqttMessage message, bool completesWhenQueued, CancellationToken cancellationToken)
    {
        using var span = MqttTracing.BeginPublish(message);
        try
        {
            await QueueAsync(message with { Trace = span.Context ?? message.Trace }, completesWhenQueued, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            span.Fail(e.Message);
            throw;
        }
    }

    private ValueTask QueueAsync(MqttMessage message, bool completesWhenQueued, CancellationToken cancellationToken)
    {
        var pending = _session.Idle.Take();
        pending.Fill(message, _options.Version, completesWhenQueued);
        _session.Add(pending);
        pending.CancelWith(cancellationToken);
        var completion = pending.Completion;
        if (!completion.IsCompletedSuccessfully) return AwaitAsync(completion);
        completion.GetAwaiter().GetResult();
        return default;
    }

    /// <summary>While a handler waits for the broker, reading must go on.</summary>
    private ValueTask AwaitAsync(ValueTask answer)
    {
        if (answer.IsCompleted || !Dispatcher.IsHandlerOf(this)) return answer;
        return AwaitInHandlerAsync(answer);
    }

    private async ValueTask AwaitInHandlerAsync(ValueTask answer)
    {
        _inbox.HandlerWaits();
        try
        {
            await answer.ConfigureAwait(false);
        }
        finally
        {
            _inbox.HandlerGoesOn();
        }
    }

    private async Task RunAsync()
    {
        var dispatching = _dispatcher.RunAsync();
        var reconnector = new Reconnector(_machine, _options.Backoff, _time, Random.Shared.NextDouble, _logger);
        var reason = await reconnector.RunAsync(OnceAsync, _stopping.Token).ConfigureAwait(false);
        Exception stopped = _refusal is { } refusal ? refusal : new OperationCanceledException(reason);
        _session.Stop(stopped);
        _dispatcher.Stop();
        _firstUp.TrySetException(_refusal is not null ? _refusal : new InvalidOperationException($"the client is stopped: {reason}"));
        // Whoever did not wait for the start has been told by the link's state.
        _ = _firstUp.Task.Exception;
        await WaitForHandlerAsync(dispatching).ConfigureAwait(false);
    }

    private async Task WaitForHandlerAsync(Task dispatching)
    {
        try
        {
            await dispatching.WaitAsync(_options.Limits.CloseTimeout, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _log.HandlerStays(ClientId, _options.Limits.CloseTimeout);
        }
    }

    private async Task<LinkEnd> OnceAsync(Action up, CancellationToken cancellationToken)
    {
        var (connection, connack, failure) = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        if (connection is null) return failure;
        return await connection.RunAsync(
            connack,
            () =>
            {
                up();
                _firstUp.TrySetResult();
            },
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<(ClientConnection?, ConnAck, LinkEnd)> ConnectAsync(CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(_options.Limits.ConnectTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        ClientConnection? connection = null;
        try
        {
            var transport = await _dialer.DialAsync(either.Token).ConfigureAwait(false);
            connection = new ClientConnection(_session, _inbox, transport, _time, _log);
            var cleanStart = _hasConnected || _options.Version == MqttVersion.V311 ? !_options.KeepsSession : _options.CleanStart;
            var connack = await connection.ShakeHandsAsync(ClientId, cleanStart, either.Token).ConfigureAwait(false);
            if (connack.Server.AssignedClientId is { } assigned) Volatile.Write(ref _clientId, assigned);
            _hasConnected = true;
            _log.Connected(_options.Server, ClientId, connack.SessionPresent);
            return (connection, connack, default);
        }
        catch (Exception e)
        {
            if (connection is not null) await connection.AbandonAsync().ConfigureAwait(false);
            if (EndOf(e, deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested) is { } end) return (null, default, end);
            throw;
        }
    }

    private LinkEnd? EndOf(Exception error, bool tooLate)
    {
        switch (error)
        {
            case MqttRefusedException refusal:
                // A broker that has let the client in before has been misconfigured for a while, and will be put right.
                var isFatal = !_hasConnected && !ClientConnection.MayPass((MqttReasonCode)refusal.ReasonCode);
                if (isFatal) _refusal = refusal;
                return new LinkEnd(refusal.Message, isFatal);
            case MqttProtocolException protocol:
                _log.ProtocolError(_options.Server, protocol.Message);
                return LinkEnd.Retry($"protocol error: {protocol.Message}");
            case not null when tooLate:
                return LinkEnd.Retry($"no answer from {_options.Server} within {_options.Limits.ConnectTimeout.TotalSeconds:0.###} s");
            default:
                return null;
        }
    }

    private sealed class Registration(MqttClient client, FilterEntry entry, MqttMessageHandler handler) : IAsyncDisposable
    {
        private int _disposed;

        public ValueTask DisposeAsync() => Interlocked.Exchange(ref _disposed, 1) != 0
            ? default
            : client.AwaitAsync(new ValueTask(client._session.Unsubscribe(entry, handler)));
    }
}
