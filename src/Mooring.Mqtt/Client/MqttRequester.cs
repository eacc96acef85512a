using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace Mooring.Mqtt.Client;

/// <summary>
/// Requests over MQTT 5.0: each carries a response topic and correlation data (MQTT-4.10), and the answer that repeats the data
/// completes it. Works with any <see cref="IMqttClient"/>.
/// </summary>
public sealed class MqttRequester : IAsyncDisposable
{
    /// <summary>Requests without an answer; more would mean that nobody answers.</summary>
    private const int OpenRequestsMax = 10_000;

    private readonly IMqttClient _client;
    private readonly string _responseTopic;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<MqttMessage>> _open = new();
    private IAsyncDisposable? _subscription;
    private long _lastNumber;

    private MqttRequester(IMqttClient client, string responseTopic) => (_client, _responseTopic) = (client, responseTopic);

    /// <summary>Subscribes to the topic of the answers.</summary>
    /// <param name="client">A client of MQTT 5.0.</param>
    /// <param name="responseTopic">Where answers go: a topic of this client alone.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A requester, ready for requests.</returns>
    /// <exception cref="MqttRefusedException">The broker refused the topic.</exception>
    public static async Task<MqttRequester> CreateAsync(
        IMqttClient client, string responseTopic, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        var requester = new MqttRequester(client, responseTopic);
        requester._subscription = await client.SubscribeAsync(
            new MqttSubscription(responseTopic), requester.OnAnswer, cancellationToken).ConfigureAwait(false);
        return requester;
    }

    /// <summary>The answer to a request, for whoever handles it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="payload">What to answer.</param>
    /// <returns>A message to publish; null when the request asks for no answer.</returns>
    public static MqttMessage? AnswerTo(MqttMessage request, ReadOnlyMemory<byte> payload)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.ResponseTopic is not { } topic
            ? null
            : new MqttMessage
            {
                Topic = topic,
                Payload = payload,
                CorrelationData = request.CorrelationData,
                QualityOfService = request.QualityOfService,
            };
    }

    /// <summary>Publishes a request and waits for its answer.</summary>
    /// <param name="request">The request; its response topic and correlation data are set here.</param>
    /// <param name="cancellationToken">Ends the wait: MQTT cannot tell that nobody will answer.</param>
    /// <returns>The answer, which is the caller's to keep.</returns>
    /// <exception cref="MqttRefusedException">The broker refused the request.</exception>
    /// <exception cref="InvalidOperationException">Too many requests are without an answer.</exception>
    public async Task<MqttMessage> RequestAsync(MqttMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (_open.Count >= OpenRequestsMax) throw new InvalidOperationException($"{OpenRequestsMax} requests have not been answered");
        var number = Interlocked.Increment(ref _lastNumber);
        var correlation = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(correlation, number);
        var answer = new TaskCompletionSource<MqttMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        _open[number] = answer;
        try
        {
            var message = request with { ResponseTopic = _responseTopic, CorrelationData = correlation };
            await _client.PublishAsync(message, cancellationToken).ConfigureAwait(false);
            return await answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _open.TryRemove(number, out _);
        }
    }

    /// <summary>Unsubscribes from the topic of the answers, and cancels what waits for one.</summary>
    /// <returns>Ends when the broker knows.</returns>
    public async ValueTask DisposeAsync()
    {
        foreach (var answer in _open.Values) answer.TrySetCanceled();
        if (_subscription is not null) await _subscription.DisposeAsync().ConfigureAwait(false);
    }

    private ValueTask OnAnswer(MqttMessage message, CancellationToken cancellationToken)
    {
        // What nobody waits for any more, or never did, is somebody else's mistake.
        if (message.CorrelationData.Length == sizeof(long)
            && _open.TryGetValue(BinaryPrimitives.ReadInt64BigEndian(message.CorrelationData.Span), out var answer))
        {
            answer.TrySetResult(message with { Payload = message.Payload.ToArray() });
        }
        return default;
    }
}
