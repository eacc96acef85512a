using System.Text;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Tests.Broker;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>Requests and answers.</summary>
public sealed class RequesterTests : BrokerTest
{
    [Fact]
    public async Task Requests_GetTheirOwnAnswers()
    {
        var (asking, answering) = (await ClientAsync(), await ClientAsync());
        await answering.SubscribeAsync(new MqttSubscription("upper"), async (request, token) =>
        {
            var text = Encoding.UTF8.GetString(request.Payload.Span).ToUpperInvariant();
            await answering.EnqueueAsync(MqttRequester.AnswerTo(request, Encoding.UTF8.GetBytes(text))!, token);
        }, TestTimeout);
        await using var requester = await MqttRequester.CreateAsync(asking, $"answers/{asking.ClientId}", TestTimeout);
        // What answers nothing is passed over.
        await answering.PublishAsync(new MqttMessage { Topic = $"answers/{asking.ClientId}", CorrelationData = new byte[8] }, TestTimeout);
        var texts = Enumerable.Range(0, 100).Select(i => $"text {i}").ToArray();
        var answers = await Task.WhenAll(texts.Select(text => requester.RequestAsync(
            new MqttMessage { Topic = "upper", Payload = Encoding.UTF8.GetBytes(text), QualityOfService = QualityOfService.AtLeastOnce },
            TestTimeout)));
        Assert.Equal(texts.Select(text => text.ToUpperInvariant()), answers.Select(answer => Encoding.UTF8.GetString(answer.Payload.Span)));
    }

    [Fact]
    public async Task RequestThatNobodyAnswers_EndsWithItsToken()
    {
        await using var requester = await MqttRequester.CreateAsync(await ClientAsync(), "answers", TestTimeout);
        using var cancel = new CancellationTokenSource();
        var asking = requester.RequestAsync(new MqttMessage { Topic = "nobody" }, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public void MessageThatAsksForNoAnswer_HasNone() =>
        Assert.Null(MqttRequester.AnswerTo(new MqttMessage { Topic = "t" }, default));

    private async Task<MqttClient> ClientAsync()
    {
        var options = new MqttClientOptions { Server = new Uri($"mqtt://127.0.0.1:{Address.Port}") };
        var client = Own(new MqttClient(options, LoggerFactory.CreateLogger<MqttClient>()));
        await client.StartAsync(TestTimeout);
        return client;
    }
}
