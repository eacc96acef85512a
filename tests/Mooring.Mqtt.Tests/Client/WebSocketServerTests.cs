using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Client;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>WebSocket servers that are no brokers, or bad ones.</summary>
public sealed class WebSocketServerTests : MooringTest
{
    private static readonly byte[] ConnAck = [0x20, 3, 0, 0, 0];

    [Fact]
    public async Task Request_HasPath_Subprotocol_AndHeaders()
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = await ClientAsync(async context =>
        {
            seen.TrySetResult(
                $"{context.Request.Path} {context.Request.Headers.SecWebSocketProtocol} {context.Request.Headers["X-Key"]} {context.Request.Headers.SecWebSocketExtensions}");
            using var socket = await context.WebSockets.AcceptWebSocketAsync("mqtt");
            await ReadAsync(socket);
            await socket.SendAsync(ConnAck, WebSocketMessageType.Binary, true, TestTimeout);
            await ReadAsync(socket);
        });
        await client.StartAsync(TestTimeout);
        Assert.Equal("/mqtt mqtt secret ", await seen.Task.WaitAsync(TestTimeout));
    }

    [Fact]
    public async Task PacketsMaySpanMessages_AndMessagesHoldPackets()
    {
        var client = await ClientAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync("mqtt");
            await ReadAsync(socket);
            // CONNACK byte by byte, an empty message, then two messages to nobody and a PINGRESP in one frame.
            foreach (var part in ConnAck) await socket.SendAsync(new byte[] { part }, WebSocketMessageType.Binary, true, TestTimeout);
            await socket.SendAsync(Array.Empty<byte>(), WebSocketMessageType.Binary, true, TestTimeout);
            var packets = Convert.FromHexString("300400016100" + "300400016200" + "D000");
            await socket.SendAsync(packets, WebSocketMessageType.Binary, true, TestTimeout);
            await ReadAsync(socket);
        });
        await client.StartAsync(TestTimeout);
        Assert.Equal(LinkState.Up, client.State);
    }

    [Theory]
    [InlineData(404, "404")]
    [InlineData(302, "302")]
    [InlineData(200, "200")]
    public async Task AnswerThatIsNoUpgrade_IsTold(int status, string reason)
    {
        var client = await ClientAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        });
        Assert.Contains(reason, await ReasonAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OtherSubprotocol_IsTold()
    {
        var client = await ClientAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await ReadAsync(socket);
        });
        Assert.Contains("does not speak 'mqtt'", await ReasonAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TextMessage_EndsTheConnection()
    {
        var client = await ClientAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync("mqtt");
            await ReadAsync(socket);
            await socket.SendAsync(ConnAck, WebSocketMessageType.Binary, true, TestTimeout);
            await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, TestTimeout);
            await ReadAsync(socket);
        });
        Assert.Contains("text message", await ReasonAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CloseFrame_IsAnEnd()
    {
        var client = await ClientAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync("mqtt");
            await ReadAsync(socket);
            await socket.SendAsync(ConnAck, WebSocketMessageType.Binary, true, TestTimeout);
            await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, "bye", TestTimeout);
        });
        Assert.Contains("closed the connection", await ReasonAsync(client), StringComparison.Ordinal);
    }

    private async Task ReadAsync(WebSocket socket)
    {
        try
        {
            await socket.ReceiveAsync(new byte[1024], TestTimeout);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The client has gone.
        }
    }

    private async Task<string> ReasonAsync(MqttClient client)
    {
        var reason = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        client.LinkChanged += move =>
        {
            if (move.To == LinkState.Waiting) reason.TrySetResult(move.Reason);
        };
        _ = client.StartAsync(TestTimeout);
        return await reason.Task.WaitAsync(TestTimeout);
    }

    private async Task<MqttClient> ClientAsync(RequestDelegate serve)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var host = Own(builder.Build());
        host.UseWebSockets();
        host.Run(serve);
        await host.StartAsync(TestTimeout);
        var address = new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return Own(new MqttClient(
            new MqttClientOptions
            {
                Server = new Uri($"ws://127.0.0.1:{address.Port}"),
                WebSocketHeaders = new Dictionary<string, string> { ["X-Key"] = "secret" },
                Limits = new MqttClientLimits { CloseTimeout = TimeSpan.FromMilliseconds(100) },
            },
            LoggerFactory.CreateLogger<MqttClient>()));
    }
}
