using System.Net;
using System.Net.Sockets;
using Mooring.Kernel.Tls;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Transports;

/// <summary>Who gets in through TLS, and what those can do to others who do not even finish a handshake.</summary>
public sealed class SecureListenerTests : MooringTest
{
    private static readonly byte[] Connect = Convert.FromHexString("101000044D5154540402003C000474657374");
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-secure-").FullName;
    private readonly DevelopmentAuthority _authority;

    public SecureListenerTests() => _authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, "ours"), TimeProvider.System);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(MqttTransport.Tls)]
    [InlineData(MqttTransport.SecureWebSocket)]
    public async Task RequiredCertificate_IsRequired_FromOurAuthority_AndForClients(MqttTransport transport)
    {
        var host = await StartAsync(transport, ClientCertificates.Required);
        using var foreign = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, "foreign"), TimeProvider.System);
        foreach (var certificate in (TlsFiles?[])[null, foreign.Client("car1"), _authority.Server()])
            await Assert.ThrowsAnyAsync<Exception>(() => ExchangeAsync(host, transport, certificate));
        Assert.Equal(0, host.Broker.Sessions);
        if (transport == MqttTransport.Tls) Assert.Equal("20020000", await ExchangeAsync(host, transport, _authority.Client("car1")));
        else await (await host.SecureAsync(transport, _authority.Client("car1"), TestTimeout)).DisposeAsync();
    }

    [Fact]
    public async Task NameInTheCertificate_IsTheUser_WhateverTheClientSays_AndRulesAreMadeForIt()
    {
        var host = await StartAsync(MqttTransport.Tls, ClientCertificates.Required, [new(true, AccessAction.Subscribe, "acme/%u/external_server")]);
        await using var car = await host.SecureAsync(MqttTransport.Tls, _authority.Client("car1"), TestTimeout);
        // User name "eve" with a password.
        await car.WriteAsync(Convert.FromHexString("101700044D51545404C2003C000163" + "0003657665" + "0003787878"), TestTimeout);
        await ExpectAsync(car, "20020000");
        Assert.Equal("car1", host.Broker.View.Client("c")!.UserName);
        await car.WriteAsync(Subscribe("acme/car1/external_server"), TestTimeout);
        await ExpectAsync(car, "9003000101");
        await car.WriteAsync(Subscribe("acme/car2/external_server"), TestTimeout);
        await ExpectAsync(car, "9003000180");
    }

    [Fact]
    public async Task OptionalCertificate_LetsOthersInWithAPassword_AndNotWithout()
    {
        var users = Path.Combine(_folder, "users");
        UsersFile.Set(users, "ann", "secret", iterations: 1000);
        var host = await StartAsync(MqttTransport.Tls, ClientCertificates.Optional, users: users);
        Assert.Equal("20020000", await ExchangeAsync(host, MqttTransport.Tls, _authority.Client("car1")));
        Assert.Equal("20020005", await ExchangeAsync(host, MqttTransport.Tls, null));
        await using var ann = await host.SecureAsync(MqttTransport.Tls, null, TestTimeout);
        await ann.WriteAsync(Convert.FromHexString("101A00044D51545404C2003C000163" + "0003616E6E" + "0006736563726574"), TestTimeout);
        await ExpectAsync(ann, "20020000");
    }

    [Fact]
    public async Task StalledHandshakes_StandInNobodysWay_AndEndAtTheirDeadline()
    {
        var host = await StartAsync(MqttTransport.Tls, ClientCertificates.NotAsked);
        var stalled = new List<Socket>();
        for (var i = 0; i < 200; i++)
        {
            stalled.Add(await host.ConnectAsync(MqttTransport.Tls, TestTimeout));
            // The first bytes of a ClientHello, and no more.
            if (i % 2 == 0) await stalled[^1].SendAsync(Convert.FromHexString("160301020001"), TestTimeout);
        }
        Assert.Equal("20020000", await ExchangeAsync(host, MqttTransport.Tls, null));
        Assert.Equal(0, await ReceiveAsync(stalled[0]));
        Assert.Equal(0, await ReceiveAsync(stalled[1]));
        stalled.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task SecretsInsteadOfAHandshake_EndTheConnection()
    {
        var host = await StartAsync(MqttTransport.Tls, ClientCertificates.NotAsked);
        using var plain = await host.ConnectAsync(MqttTransport.Tls, TestTimeout);
        await plain.SendAsync(Connect, TestTimeout);
        while (await ReceiveAsync(plain) > 0)
        {
            // An alert may come first.
        }
        Assert.Equal("20020000", await ExchangeAsync(host, MqttTransport.Tls, null));
    }

    [Fact]
    public async Task OldTls_IsRefused()
    {
        var host = await StartAsync(MqttTransport.Tls, ClientCertificates.NotAsked);
        using var socket = await host.ConnectAsync(MqttTransport.Tls, TestTimeout);
        // ClientHello of TLS 1.0 with one cipher suite and no extensions.
        await socket.SendAsync(Convert.FromHexString("160301002D010000290301" + new string('0', 64) + "000002002F0100"), TestTimeout);
        var buffer = new byte[64];
        var count = await socket.ReceiveAsync(buffer, TestTimeout);
        // Alert (21), or nothing: never a ServerHello (22).
        Assert.True(count == 0 || buffer[0] == 21, Convert.ToHexString(buffer.AsSpan(0, count)));
    }

    private async Task<HostedBroker> StartAsync(
        MqttTransport transport, ClientCertificates certificates, IReadOnlyList<AccessRule>? rules = null, string? users = null) =>
        Own(await HostedBroker.StartAsync(
            Log,
            new MqttBrokerOptions
            {
                Listeners =
                [
                    new MqttListener
                    {
                        EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Transport = transport, Tls = _authority.Server(),
                        ClientCertificates = certificates,
                    },
                ],
                AccessRules = rules,
                UsersFile = users,
            },
            TestTimeout));

    /// <summary>Connects, sends CONNECT and returns the four bytes that come back.</summary>
    private async Task<string> ExchangeAsync(HostedBroker host, MqttTransport transport, TlsFiles? certificate)
    {
        await using var stream = await host.SecureAsync(transport, certificate, TestTimeout);
        await stream.WriteAsync(Connect, TestTimeout);
        var answer = new byte[4];
        await stream.ReadExactlyAsync(answer, TestTimeout);
        // HTTP answers HTTP: that TLS let us in is enough to fail here.
        return Convert.ToHexString(answer);
    }

    private async Task ExpectAsync(Stream stream, string hex)
    {
        var answer = new byte[hex.Length / 2];
        await stream.ReadExactlyAsync(answer, TestTimeout);
        Assert.Equal(hex, Convert.ToHexString(answer));
    }

    private async Task<int> ReceiveAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[64], TestTimeout);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private static byte[] Subscribe(string filter) =>
        [0x82, (byte)(filter.Length + 5), 0, 1, 0, (byte)filter.Length, .. System.Text.Encoding.ASCII.GetBytes(filter), 1];
}
