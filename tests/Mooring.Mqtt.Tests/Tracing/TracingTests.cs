using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Tracing;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Codec;
using Mooring.Mqtt.Tests.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Tracing;

[Collection(TracedAloneCollection.Name)]
public sealed class TracingTests : BrokerTest
{
    private readonly SpanCollector _spans = new("Mooring.Mqtt");
    private readonly TraceContext _root = new(SpanCollector.NewTrace());

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _spans.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task PublishOf5_WithATrace_BrokerContinuesIt_AndHandsItToHandlersInTheProcess()
    {
        var received = await SubscribeInProcessAsync("t");
        using var car = RawClient.Connect(Address, "car", MqttVersion.V500);
        car.Publish("t", "x", qos: 1, id: 1, properties: Property(TraceContext.ParentName, _root.ToString()));
        var message = await received.WaitAsync(TestTimeout);
        var receipt = await _spans.WhenAsync(_root.Value.TraceId, "mqtt receive", TestTimeout);
        Assert.Equal(_root.Value.SpanId, receipt.ParentSpanId);
        Assert.Equal(receipt.Context, message.Trace!.Value);
        Assert.Equal(("t", "car"), (receipt.GetTagItem("messaging.destination.name"), receipt.GetTagItem("messaging.client.id")));
        Assert.Contains(message.UserProperties, pair => pair.Value == _root.ToString());
    }

    [Fact]
    public async Task PublishOf311_BeginsATrace_ThatSubscribersOf5Get()
    {
        var received = await SubscribeInProcessAsync("t");
        using var subscriber = RawClient.Connect(Address, "subscriber", MqttVersion.V500);
        subscriber.Subscribe("t");
        using var car = RawClient.Connect(Address, "car");
        car.Publish("t", "x");
        var trace = (await received.WaitAsync(TestTimeout)).Trace!;
        await _spans.WhenAsync(trace.Value.TraceId, "mqtt receive", TestTimeout);
        Assert.Contains(Hex(trace), subscriber.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TraceOfThePublisher_ReachesSubscribersUnaltered()
    {
        using var subscriber = RawClient.Connect(Address, "subscriber", MqttVersion.V500);
        subscriber.Subscribe("t");
        using var car = RawClient.Connect(Address, "car", MqttVersion.V500);
        car.Publish("t", "x", properties: Property(TraceContext.ParentName, _root.ToString()));
        var packet = subscriber.Receive();
        Assert.Equal(2, packet.Split(Convert.ToHexString("traceparent"u8)).Length);
        Assert.Contains(Hex(_root), packet, StringComparison.Ordinal);
        await _spans.WhenAsync(_root.Value.TraceId, "mqtt receive", TestTimeout);
    }

    [Fact]
    public async Task TraceThatIsNoTrace_IsForwarded_AndANewOneBegins()
    {
        var received = await SubscribeInProcessAsync("t");
        using var car = RawClient.Connect(Address, "car", MqttVersion.V500);
        car.Publish("t", "x", properties: Property(TraceContext.ParentName, "nonsense"));
        var message = await received.WaitAsync(TestTimeout);
        Assert.NotNull(message.Trace);
        Assert.Contains(message.UserProperties, pair => pair.Value == "nonsense");
    }

    [Fact]
    public async Task PublishInTheProcess_IsPartOfItsTrace_AndGoesOnOverTheWire()
    {
        await using var publisher = Broker.CreateClient("publisher");
        await publisher.StartAsync(TestTimeout);
        using var subscriber = RawClient.Connect(Address, "subscriber", MqttVersion.V500);
        subscriber.Subscribe("t");
        await publisher.PublishAsync(new MqttMessage { Topic = "t", Trace = _root }, TestTimeout);
        var receipt = await _spans.WhenAsync(_root.Value.TraceId, "mqtt receive", TestTimeout);
        Assert.Contains(Hex(new TraceContext(receipt.Context)), subscriber.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientToClient_IsOneTrace()
    {
        var (publisher, subscriber) = (Client("publisher"), Client("subscriber"));
        await publisher.StartAsync(TestTimeout);
        await subscriber.StartAsync(TestTimeout);
        var handled = new TaskCompletionSource<ActivityContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        await subscriber.SubscribeAsync(new MqttSubscription("t"), (message, _) =>
        {
            Assert.Equal(Activity.Current!.Context, message.Trace!.Value);
            handled.TrySetResult(Activity.Current.Context);
            return default;
        }, TestTimeout);
        await publisher.PublishAsync(new MqttMessage { Topic = "t", QualityOfService = QualityOfService.AtLeastOnce, Trace = _root }, TestTimeout);
        var inHandler = await handled.Task.WaitAsync(TestTimeout);
        var publish = await _spans.WhenAsync(_root.Value.TraceId, "mqtt publish", TestTimeout);
        var receipt = await _spans.WhenAsync(_root.Value.TraceId, "mqtt receive", TestTimeout);
        var process = await _spans.WhenAsync(_root.Value.TraceId, "mqtt process", TestTimeout);
        Assert.Equal(_root.Value.SpanId, publish.ParentSpanId);
        Assert.Equal(publish.SpanId, receipt.ParentSpanId);
        Assert.Equal(publish.SpanId, process.ParentSpanId);
        Assert.Equal(process.Context, inHandler);
    }

    private MqttClient Client(string id) => Own(new MqttClient(
        new MqttClientOptions { Server = new Uri($"mqtt://{Address}"), ClientId = id, Version = MqttVersion.V500 }, LoggerFactory.CreateLogger<MqttClient>()));

    private async Task<Task<MqttMessage>> SubscribeInProcessAsync(string topic)
    {
        var client = Own(Broker.CreateClient("inside"));
        await client.StartAsync(TestTimeout);
        var received = new TaskCompletionSource<MqttMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        await client.SubscribeAsync(new MqttSubscription(topic), (message, _) =>
        {
            received.TrySetResult(message);
            return default;
        }, TestTimeout);
        return received.Task;
    }

    private static string Hex(TraceContext trace) => Convert.ToHexString(Encoding.UTF8.GetBytes(trace.ToString()));

    private static PropertyWriter Property(string name, string value)
    {
        var properties = new PropertyWriter();
        properties.WriteUserProperty(name, value);
        return properties;
    }
}
