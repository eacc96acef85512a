using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Broker;

public sealed class LocalClientTests : MooringTest
{
    private static byte[] Connect5 => [0x10, 14, 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 5, 2, 0, 60, 0, 0, 1, (byte)'x'];

    [Fact]
    public async Task TwoClientsInProcess_MessagesArriveInOrder()
    {
        await using var broker = StartBroker();
        await using var car = broker.CreateClient("car");
        await using var server = broker.CreateClient("server");
        await car.StartAsync(TestTimeout);
        await server.StartAsync(TestTimeout);
        var received = Channel.CreateBounded<(string Topic, string Payload)>(2000);
        await server.SubscribeAsync(new MqttSubscription("a/+/status"), (message, _) =>
            received.Writer.WriteAsync((message.Topic, Encoding.UTF8.GetString(message.Payload.Span)), TestTimeout), TestTimeout);
        for (var i = 0; i < 1000; i++) await car.PublishAsync(Message("a/b/status", $"{i}"), TestTimeout);
        for (var i = 0; i < 1000; i++) Assert.Equal(("a/b/status", $"{i}"), await received.Reader.ReadAsync(TestTimeout));
    }

    [Fact]
    public async Task DisposedSubscription_HearsNothingMore()
    {
        await using var broker = StartBroker();
        await using var client = broker.CreateClient("one");
        await client.StartAsync(TestTimeout);
        var first = Channel.CreateBounded<string>(10);
        var second = Channel.CreateBounded<string>(10);
        var registration = await client.SubscribeAsync(new MqttSubscription("t/1"), (message, _) => first.Writer.WriteAsync(message.Topic, TestTimeout), TestTimeout);
        await client.SubscribeAsync(new MqttSubscription("t/2"), (message, _) => second.Writer.WriteAsync(message.Topic, TestTimeout), TestTimeout);
        await client.PublishAsync(Message("t/1", "x"), TestTimeout);
        Assert.Equal("t/1", await first.Reader.ReadAsync(TestTimeout));
        await registration.DisposeAsync();
        await client.PublishAsync(Message("t/1", "y"), TestTimeout);
        await client.PublishAsync(Message("t/2", "z"), TestTimeout);
        Assert.Equal("t/2", await second.Reader.ReadAsync(TestTimeout));
        Assert.False(first.Reader.TryRead(out _));
    }

    [Fact]
    public async Task RetainedMessageWithProperties_ReachesLaterSubscriber()
    {
        await using var broker = StartBroker();
        await using var client = broker.CreateClient("one");
        await client.StartAsync(TestTimeout);
        await client.PublishAsync(Message("r/1", "kept") with { Retain = true, ContentType = "text/plain", UserProperties = [new("k", "v")] }, TestTimeout);
        var got = Channel.CreateBounded<MqttMessage>(1);
        await client.SubscribeAsync(new MqttSubscription("r/#"), (message, _) => got.Writer.WriteAsync(message, TestTimeout), TestTimeout);
        var message = await got.Reader.ReadAsync(TestTimeout);
        Assert.True(message.Retain);
        Assert.Equal("text/plain", message.ContentType);
        Assert.Equal(new KeyValuePair<string, string>("k", "v"), Assert.Single(message.UserProperties));
    }

    [Fact]
    public async Task HandlerThatThrows_DoesNotStopTheNextMessage()
    {
        await using var broker = StartBroker();
        await using var client = broker.CreateClient("one");
        await client.StartAsync(TestTimeout);
        var got = Channel.CreateBounded<string>(1);
        await client.SubscribeAsync(new MqttSubscription("t"), (message, _) =>
            message.Payload.Span.SequenceEqual("bad"u8) ? throw new InvalidDataException("bad") : got.Writer.WriteAsync("good", TestTimeout), TestTimeout);
        await client.PublishAsync(Message("t", "bad"), TestTimeout);
        await client.PublishAsync(Message("t", "fine"), TestTimeout);
        Assert.Equal("good", await got.Reader.ReadAsync(TestTimeout));
    }

    [Fact]
    public async Task SecondClientWithTheSameId_IsRefused()
    {
        await using var broker = StartBroker();
        await using var one = broker.CreateClient("same");
        await using var two = broker.CreateClient("same");
        await one.StartAsync(TestTimeout);
        await Assert.ThrowsAsync<MqttRefusedException>(() => two.StartAsync(TestTimeout));
    }

    [Fact]
    public async Task SocketPublish_ReachesInProcessClient()
    {
        await using var broker = StartBroker();
        await using var client = broker.CreateClient("one");
        await client.StartAsync(TestTimeout);
        var got = Channel.CreateBounded<string>(1);
        await client.SubscribeAsync(new MqttSubscription("t"), (message, _) => got.Writer.WriteAsync(message.Topic, TestTimeout), TestTimeout);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(broker.EndPoints[0], TestTimeout);
        await socket.SendAsync((byte[])[.. Connect5, 0x30, 4, 0, 1, (byte)'t', 0], TestTimeout);
        Assert.Equal("t", await got.Reader.ReadAsync(TestTimeout));
    }

    [Fact]
    public async Task WebSocket_CarriesMqtt()
    {
        await using var host = await StartHostAsync();
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        await socket.ConnectAsync(new Uri(Address(host).Replace("http", "ws", StringComparison.Ordinal) + "/mqtt"), TestTimeout);
        Assert.Equal("mqtt", socket.SubProtocol);
        // A packet in two frames, and two packets in one.
        await socket.SendAsync(Connect5.AsMemory(0, 5), WebSocketMessageType.Binary, true, TestTimeout);
        await socket.SendAsync((byte[])[.. Connect5[5..], 0xC0, 0], WebSocketMessageType.Binary, true, TestTimeout);
        var bytes = new List<byte>();
        var buffer = new byte[256];
        while (bytes.Count < 4 || bytes[^2] != 0xD0)
        {
            var result = await socket.ReceiveAsync(buffer, TestTimeout);
            Assert.Equal(WebSocketMessageType.Binary, result.MessageType);
            bytes.AddRange(buffer[..result.Count]);
        }
        Assert.Equal(0x20, bytes[0]);
        Assert.Equal(0, bytes[3]);
    }

    [Fact]
    public async Task WebSocketWithoutSubprotocol_IsRefused()
    {
        await using var host = await StartHostAsync();
        using var socket = new ClientWebSocket();
        await Assert.ThrowsAsync<WebSocketException>(
            () => socket.ConnectAsync(new Uri(Address(host).Replace("http", "ws", StringComparison.Ordinal) + "/mqtt"), TestTimeout));
    }

    [Fact]
    public async Task KestrelEndpoint_MalformedPacket_IsToldWhyAndClosed()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddMqttBroker(new MqttBrokerOptions { Listeners = [] });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            endpoint.UseMqttBroker(kestrel.ApplicationServices.GetRequiredService<MqttBroker>())));
        await using var host = builder.Build();
        await host.StartAsync(TestTimeout);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(Address(host)).Port, TestTimeout);
        var stream = client.GetStream();
        await stream.WriteAsync((byte[])[.. Connect5, 0x00, 0x00], TestTimeout);
        var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes, TestTimeout);
        Assert.Equal((byte[])[0xE0, 1, 0x81], bytes.ToArray()[^3..]);
    }

    private static MqttMessage Message(string topic, string payload) =>
        new() { Topic = topic, Payload = Encoding.UTF8.GetBytes(payload), QualityOfService = QualityOfService.AtLeastOnce };

    private static string Address(WebApplication host) =>
        host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    private MqttBroker StartBroker()
    {
        var broker = new MqttBroker(
            new MqttBrokerOptions { Listeners = [new IPEndPoint(IPAddress.Loopback, 0)] }, LoggerFactory.CreateLogger<MqttBroker>(), TimeProvider.System);
        broker.Start();
        return broker;
    }

    private async Task<WebApplication> StartHostAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddMqttBroker(new MqttBrokerOptions
        {
            Listeners = [new MqttListener { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Transport = MqttTransport.WebSocket }],
        });
        var host = builder.Build();
        await host.StartAsync(TestTimeout);
        return host;
    }
}
