using Mooring.Testing;

namespace Mooring.Cli.Tests.Fleet;

/// <summary>A car's gateway made of mosquitto_pub and mosquitto_sub.</summary>
internal sealed class ShellGateway : IAsyncDisposable
{
    internal const string Note = "external_server_disconnect";

    private readonly Mosquitto _broker;
    private readonly string _car;
    private readonly ProcessUnderTest _subscriber;
    private int _taken;

    private ShellGateway(Mosquitto broker, string car, ProcessUnderTest subscriber) => (_broker, _car, _subscriber) = (broker, car, subscriber);

    internal static async Task<ShellGateway> StartAsync(Mosquitto broker, string car, CancellationToken cancellationToken)
    {
        var topic = $"company/{car}/external_server";
        var subscriber = ProcessUnderTest.Start(
            "mosquitto_sub", [.. broker.ClientOptions, "-V", "mqttv311", "-q", "1", "-t", topic, "-t", topic + "_disconnect", "-F", "%t %x"]);
        await broker.SubscribedAsync(topic + "_disconnect", cancellationToken);
        return new ShellGateway(broker, car, subscriber);
    }

    internal async Task SendAsync(byte[] message, CancellationToken cancellationToken)
    {
        await using var publisher = ProcessUnderTest.Start(
            "mosquitto_pub", [.. _broker.ClientOptions, "-V", "mqttv311", "-q", "1", "-t", $"company/{_car}/module_gateway", "-s"]);
        await publisher.Input.BaseStream.WriteAsync(message, cancellationToken);
        publisher.Input.Close();
        Assert.True(await publisher.ExitAsync(cancellationToken) == 0, string.Join('\n', publisher.Lines));
    }

    /// <summary>The next message of the server: topic after the car's name, a space, the payload in hexadecimal.</summary>
    internal async Task<string> NextAsync(CancellationToken cancellationToken)
    {
        var (prefix, seen, wanted) = ($"company/{_car}/", 0, ++_taken);
        var line = await _subscriber.LineAsync(
            line => line.StartsWith(prefix, StringComparison.Ordinal) && ++seen == wanted, $"number {wanted} of the server", cancellationToken);
        return line[prefix.Length..].TrimEnd();
    }

    /// <summary>A complete connect sequence, checked byte for byte.</summary>
    internal async Task ConnectAsync(string session, CancellationToken cancellationToken)
    {
        var id = Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(session));
        Assert.Equal(8, session.Length);
        await SendAsync(GatewayBytes.Connect(session, _car), cancellationToken);
        Assert.Equal($"external_server 0a0a0a08{id}", await NextAsync(cancellationToken));
        await SendAsync(GatewayBytes.Status(session, GatewayBytes.Connecting, 1, "{\"pressed\": false}"), cancellationToken);
        Assert.Equal($"external_server 120c0a08{id}1801", await NextAsync(cancellationToken));
        var command = await NextAsync(cancellationToken);
        Assert.Equal($"external_server 1a210a08{id}1a150a1308e8071a06746573745f312206427574746f6e", command);
        await SendAsync(GatewayBytes.CommandResponse(session, 0), cancellationToken);
    }

    internal async Task RoundTripAsync(string session, byte counter, CancellationToken cancellationToken)
    {
        var id = Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(session));
        await SendAsync(GatewayBytes.Status(session, GatewayBytes.Running, counter, "{\"pressed\": false}"), cancellationToken);
        Assert.Equal($"external_server 120c0a08{id}18{counter:x2}", await NextAsync(cancellationToken));
    }

    public ValueTask DisposeAsync() => _subscriber.DisposeAsync();
}
