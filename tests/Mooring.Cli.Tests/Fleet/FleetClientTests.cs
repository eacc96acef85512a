using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Cli.Hosting;
using Mooring.Fleet.Configuration;
using Mooring.Kernel.Links;
using Mooring.Mqtt;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Fleet;

/// <summary>What a broker sees of the external server.</summary>
public sealed class FleetClientTests : FleetProcessTest
{
    private static readonly byte[] ConnAck = [0x20, 2, 0, 0];

    private IMqttClient NewClient(int port) => Own(FleetClients.Create(
        new ServiceCollection().AddSingleton(TimeProvider.System).AddSingleton(LoggerFactory).AddLogging().BuildServiceProvider(),
        new FleetOptions
        {
            Company = "company",
            Broker = new FleetBrokerOptions { Host = "127.0.0.1", Port = port },
            RetryDelay = TimeSpan.Zero,
        },
        "abc"));

    private async Task<byte[]> ReadPacketAsync(Stream stream)
    {
        var head = new byte[2];
        await stream.ReadExactlyAsync(head, TestTimeout);
        var packet = new byte[2 + head[1]];
        head.CopyTo(packet, 0);
        await stream.ReadExactlyAsync(packet.AsMemory(2), TestTimeout);
        return packet;
    }

    [Fact]
    public async Task C003_each_car_has_its_own_client_id_of_20_letters_with_clean_session_and_keep_alive_15_and_no_will()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Configure(((IPEndPoint)listener.LocalEndpoint).Port, root => root["connections"] = "per-car", "a", "b");
        StartFleet();
        var ids = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            using var connection = await listener.AcceptTcpClientAsync(TestTimeout);
            var connect = await ReadPacketAsync(connection.GetStream());
            Assert.Equal("10200004" + "4d515454" + "04" + "02" + "000f" + "0014", Convert.ToHexStringLower(connect.AsSpan(0, 14)));
            ids.Add(Encoding.ASCII.GetString(connect.AsSpan(14)));
        }
        Assert.All(ids, id => Assert.Matches("^[A-Za-z]{20}$", id));
        Assert.NotEqual(ids[0], ids[1]);
    }

    [Fact]
    public async Task C001_C031_subscribes_with_QoS_1_to_the_topic_of_the_car()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Configure(((IPEndPoint)listener.LocalEndpoint).Port);
        StartFleet();
        using var connection = await listener.AcceptTcpClientAsync(TestTimeout);
        var stream = connection.GetStream();
        await ReadPacketAsync(stream);
        await stream.WriteAsync(ConnAck, TestTimeout);
        var subscribe = await ReadPacketAsync(stream);
        Assert.Equal(0x82, subscribe[0]);
        Assert.Equal("company/car/module_gateway", Encoding.ASCII.GetString(subscribe.AsSpan(6..^1)));
        Assert.Equal(1, subscribe[^1]);
    }

    [Theory]
    [InlineData(5, "NotAuthorized")]
    [InlineData(77, "UnspecifiedError")]
    public async Task C008_C027_refusal_is_told_with_its_name_or_a_general_one_and_the_process_goes_on(byte code, string words)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Configure(((IPEndPoint)listener.LocalEndpoint).Port);
        var fleet = StartFleet();
        using var connection = await listener.AcceptTcpClientAsync(TestTimeout);
        var stream = connection.GetStream();
        await ReadPacketAsync(stream);
        await stream.WriteAsync(new byte[] { 0x20, 2, 0, code }, TestTimeout);
        await fleet.LineAsync(words, TestTimeout);
        Assert.False(fleet.HasExited);
        fleet.Interrupt();
        Assert.Equal(0, await fleet.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task C007_second_start_of_a_connected_client_leaves_it_connected()
    {
        var broker = Own(new MqttBroker(
            new MqttBrokerOptions { Listeners = [new IPEndPoint(IPAddress.Loopback, 0)] }, LoggerFactory.CreateLogger<MqttBroker>(), TimeProvider.System));
        broker.Start();
        var client = NewClient(broker.EndPoints[0].Port);
        await client.StartAsync(TestTimeout);
        await client.StartAsync(TestTimeout);
        Assert.Equal((LinkState.Up, 1), (client.State, broker.Connections));
    }

    [Fact]
    public async Task C015_what_is_published_without_a_broker_waits_in_a_queue_with_an_end()
    {
        var client = NewClient(FreePort.Next());
        var message = new MqttMessage { Topic = "company/car/external_server", QualityOfService = QualityOfService.AtLeastOnce };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestTimeout);
        var sending = FillAsync();
        async Task<int> FillAsync()
        {
            for (var count = 0; ; count++)
            {
                var queued = client.EnqueueAsync(message, patience.Token);
                if (queued.IsCompleted)
                {
                    await queued;
                    continue;
                }
                await patience.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await queued);
                return count;
            }
        }

        Assert.InRange(await sending, 1, 100_000);
        Assert.NotEqual(LinkState.Up, client.State);
    }
}
