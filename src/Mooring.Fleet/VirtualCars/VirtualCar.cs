using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Protocol;
using Mooring.Fleet.VirtualCars.Devices;
using Mooring.Kernel.Links;
using Mooring.Mqtt;

namespace Mooring.Fleet.VirtualCars;

/// <summary>
/// A car with its devices and its gateway, for as long as it is switched on. A session is a <see cref="GatewaySession"/>;
/// this is what goes on from one to the next.
/// </summary>
internal sealed partial class VirtualCar : IDisposable
{
    private readonly GatewayInbox _inbox;
    private readonly TimeSpan _period;
    private readonly ILogger _logger;
    private readonly string _gatewayTopic;
    private IMqttClient? _client;
    private volatile bool _isSubscribed;
    private volatile bool _isLinkUp;

    internal VirtualCar(VirtualCarOptions options, string name, int number, FleetTally tally, TimeProvider time, ILogger logger)
    {
        Options = options;
        Name = name;
        Number = number;
        Tally = tally;
        _logger = logger;
        _inbox = new GatewayInbox(time);
        Devices = [.. options.Devices.Select(d => VirtualDevice.Create(d, number))];
        var period = options.StatusesPerSecond > 0 ? 1 / options.StatusesPerSecond : double.PositiveInfinity;
        _period = period < options.Timings.Aggregation.TotalSeconds ? TimeSpan.FromSeconds(period) : options.Timings.Aggregation;
        _gatewayTopic = $"{options.Company}/{name}/module_gateway";
        // Devices report one after the other, not all in the same instant; neither do cars.
        var steps = Devices.Count * 7;
        for (var i = 0; i < Devices.Count; i++) Devices[i].DueAt = _period * ((i * 7 % steps) + (number % 7)) / steps;
    }

    internal VirtualCarOptions Options { get; }

    internal string Name { get; }

    /// <summary>Its place in the fleet.</summary>
    internal int Number { get; }

    internal FleetTally Tally { get; }

    internal IReadOnlyList<VirtualDevice> Devices { get; }

    internal string ServerTopic => $"{Options.Company}/{Name}/external_server";

    internal string NoteTopic => $"{Options.Company}/{Name}/external_server_disconnect";

    internal bool IsLinkUp => _isLinkUp;

    internal TimeSpan Now => _inbox.Now;

    /// <summary>How the car reaches its broker, from now on.</summary>
    internal void Attach(IMqttClient client) => _client = client;

    /// <summary>The broker has acknowledged the car's subscriptions; the client makes them again by itself.</summary>
    internal void OnSubscribed(LinkState now)
    {
        _isSubscribed = true;
        OnLinkChanged(now);
    }

    internal void OnLinkChanged(LinkState to)
    {
        _isLinkUp = _isSubscribed && to == LinkState.Up;
        _inbox.Post(new GatewayEvent(GatewayEventKind.Link));
    }

    internal ValueTask ReceiveAsync(MqttMessage message, CancellationToken cancellationToken)
    {
        try
        {
            _inbox.Post(new GatewayEvent(GatewayEventKind.Message, ExternalServer.Parser.ParseFrom(message.Payload.Span)));
        }
        catch (InvalidProtocolBufferException)
        {
            _inbox.Post(new GatewayEvent(GatewayEventKind.Garbage));
        }
        return ValueTask.CompletedTask;
    }

    internal ValueTask ReceiveNoteAsync(MqttMessage message, CancellationToken cancellationToken)
    {
        _inbox.Post(new GatewayEvent(GatewayEventKind.Note));
        return ValueTask.CompletedTask;
    }

    /// <summary>Drives until cancelled: one session after the other, with the pauses that a gateway makes in between.</summary>
    internal async Task RunAsync(TimeSpan startDelay, CancellationToken cancellationToken)
    {
        try
        {
            await RestAsync(startDelay, cancellationToken);
            while (true)
            {
                while (!_isLinkUp) await NextAsync(TimeSpan.MaxValue, cancellationToken);
                var end = await RunSessionAsync(cancellationToken);
                var downAt = Now;
                await RestAsync(end == SessionEnd.Note ? UntilNextStatus() : Options.Timings.ReconnectDelay, cancellationToken);
                CountMissed(Now - downAt);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Switched off.
        }
    }

    internal ValueTask<GatewayEvent> NextAsync(TimeSpan deadline, CancellationToken cancellationToken) =>
        _inbox.NextAsync(deadline, cancellationToken);

    /// <summary>Sends, without a way to give up half-way: a number that is taken must reach the server, or it waits for it.</summary>
    /// <exception cref="SessionOverException">The client has been stopped, by us or by a broker that refused it.</exception>
    internal async ValueTask SendAsync(ExternalClient message)
    {
        try
        {
            await _client!.EnqueueAsync(new MqttMessage
            {
                Topic = _gatewayTopic,
                Payload = message.ToByteArray(),
                QualityOfService = QualityOfService.AtLeastOnce,
            });
        }
        catch (InvalidOperationException)
        {
            throw new SessionOverException(SessionEnd.Fault, "the connection to the broker was closed");
        }
    }

    /// <summary>When a device that reports now is due again.</summary>
    internal TimeSpan NextDue(VirtualDevice device, TimeSpan now)
    {
        // Keeps the rhythm, unless it was lost: statuses that were due while nothing could be sent are not made up for.
        var next = device.DueAt + _period;
        return next > now ? next : now + _period;
    }

    internal void OnRunning(string session)
    {
        Tally.Running(+1);
        Tally.Sessions.Increment();
        LogRunning(_logger, Name, session, Devices.Count);
    }

    public void Dispose() => _inbox.Dispose();

    private async Task<SessionEnd> RunSessionAsync(CancellationToken cancellationToken)
    {
        var session = new GatewaySession(this, Random.Shared.GetString("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 8));
        try
        {
            await session.RunAsync(cancellationToken);
        }
        catch (SessionOverException e)
        {
            Tally.Ended.Increment();
            // A note is how a server takes its leave.
            LogEnded(_logger, e.End == SessionEnd.Note ? LogLevel.Information : LogLevel.Warning, Name, session.Id, e.Message);
            return e.End;
        }
        finally
        {
            if (session.IsRunning) Tally.Running(-1);
        }
        return SessionEnd.Fault;
    }

    /// <summary>Waits; what arrives meanwhile is for no session.</summary>
    private async Task RestAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        var until = Now + time;
        while ((await NextAsync(until, cancellationToken)).Kind != GatewayEventKind.Elapsed)
        {
            // Too late, or too early.
        }
    }

    private void CountMissed(TimeSpan downFor)
    {
        if (_period == TimeSpan.Zero) return;
        foreach (var device in Devices) device.Missed += (int)Math.Min(downFor / _period, int.MaxValue / 2);
    }

    private TimeSpan UntilNextStatus()
    {
        var wait = Devices.Min(d => d.DueAt) - Now;
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    [LoggerMessage(4300, LogLevel.Information, "Virtual car {Car}: session {Session} runs with {Devices} device(s)")]
    private static partial void LogRunning(ILogger logger, string car, string session, int devices);

    [LoggerMessage(EventId = 4301, Message = "Virtual car {Car}: session {Session} ended: {Reason}")]
    private static partial void LogEnded(ILogger logger, LogLevel level, string car, string session, string reason);
}
