using Mooring.Kernel.Links;

namespace Mooring.Mqtt;

/// <summary>Receives one message; deliveries of one client are made in order and one at a time.</summary>
/// <param name="message">The message; its memory is valid until the returned task completes.</param>
/// <param name="cancellationToken">Cancelled when the client stops.</param>
public delegate ValueTask MqttMessageHandler(MqttMessage message, CancellationToken cancellationToken);

/// <summary>
/// An MQTT client whose subscriptions survive reconnects. One implementation speaks to any broker over the network,
/// the other is a connectionless session inside the embedded broker; both behave alike.
/// </summary>
public interface IMqttClient : IAsyncDisposable
{
    /// <summary>Client identifier, as sent or as assigned by the broker.</summary>
    string ClientId { get; }

    /// <summary>Current state of the link to the broker.</summary>
    LinkState State { get; }

    /// <summary>
    /// Raised after each move of the link, in order, from one dispatcher. On the move to <see cref="LinkState.Up"/> all
    /// subscriptions have been acknowledged by the broker.
    /// </summary>
    event Action<LinkTransition>? LinkChanged;

    /// <summary>
    /// Starts the link. Completes when the first connection is up, or when <paramref name="cancellationToken"/> is
    /// cancelled (the link then goes on trying until <see cref="StopAsync"/>).
    /// </summary>
    /// <exception cref="MqttRefusedException">The broker refused for a reason that trying again cannot cure.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Publishes and waits until the message is acknowledged by the broker (QoS 0: handed to the transport). Waits for
    /// room when the send queue is full. While the link is down the message stays queued and is sent on the next
    /// connection; cancelling stops the wait, and removes the message if it has not been sent yet.
    /// </summary>
    /// <exception cref="MqttRefusedException">The broker answered with a failure code.</exception>
    /// <exception cref="InvalidOperationException">The client is stopped.</exception>
    ValueTask PublishAsync(MqttMessage message, CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="PublishAsync"/>, but completes as soon as the bounded send queue has accepted the message, whose
    /// payload is copied or encoded by then. Failure codes are counted and logged, not thrown.
    /// </summary>
    ValueTask EnqueueAsync(MqttMessage message, CancellationToken cancellationToken = default);

    /// <summary>
    /// Subscribes and waits for SUBACK (when the link is down: for the next connection's). The subscription is made
    /// again on every new connection until it is disposed.
    /// </summary>
    /// <returns>Disposing it unsubscribes.</returns>
    /// <exception cref="MqttRefusedException">The broker refused the filter.</exception>
    ValueTask<IAsyncDisposable> SubscribeAsync(
        MqttSubscription subscription, MqttMessageHandler handler, CancellationToken cancellationToken = default);

    /// <summary>Sends what is queued for at most <paramref name="drain"/>, then DISCONNECT, and ends the link for good.</summary>
    Task StopAsync(TimeSpan drain);
}
