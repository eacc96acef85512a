using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Protocol.Monitor;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Network;

/// <summary>The agent's end of the monitor's socket, with a monitor that is played line by line, as earlier monitors speak.</summary>
public sealed class NetworkMonitorClientTests : MooringTest
{
    private const string Discovery = """
        {"type":"network_discovery","data":{"interfaces":[{"interface":"eth0","index":2,"operstate":"UP","type":"ethernet","ipv4_addresses":[{"address":"192.168.77.10","prefixlen":24,"subnet":"192.168.77.0/24","network_address":"192.168.77.0"}],"gateway":"192.168.77.1","timestamp":"t"}],"timestamp":"t"}}
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-netmon-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly HostNetwork _network;
    private readonly NetworkMonitorClient _client;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private Task _running = Task.CompletedTask;

    public NetworkMonitorClientTests()
    {
        var path = Path.Combine(_folder, "netmon.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _network = new HostNetwork(LoggerFactory.CreateLogger<HostNetwork>());
        _client = new NetworkMonitorClient(
            new NetworkMonitorOptions { SocketPath = path, RetryDelay = TimeSpan.FromMilliseconds(50), CommandTimeout = TimeSpan.FromSeconds(2) },
            _network, TimeProvider.System, LoggerFactory.CreateLogger<NetworkMonitorClient>());
    }

    [Fact]
    public async Task D3_AnswerWithoutNumber_BelongsToTheOneCommand_EventsBetweenAreApplied()
    {
        await using var monitor = await AcceptAsync();
        await monitor.WriteAsync(Discovery);
        await _network.Discovered.WaitAsync(TestTimeout);
        Assert.Equal("192.168.77.0/24", _network.Interfaces["eth0"].Subnet.ToString());
        var asked = _client.SendAsync(new MonitorCommand { Command = MonitorCommand.StopDhcp, ContainerName = "plc", VnicName = "lan" }, TestTimeout);
        var line = await monitor.ReadAsync(TestTimeout);
        Assert.Contains("\"command\":\"stop_dhcp\"", line);
        await monitor.WriteAsync("""{"type":"dhcp_update","data":{"container_name":"plc","vnic_name":"lan","ip":"1.2.3.4","prefix":"24","lease_time":"120"}}""");
        await monitor.WriteAsync("""{"success":true}""");
        Assert.True((await asked).Success);
    }

    [Fact]
    public async Task LinesThatCannotBeRead_EndNothing()
    {
        await using var monitor = await AcceptAsync();
        foreach (var line in new[] { "not json", "[]", "{\"type\":7}", "{\"type\":\"network_change\",\"data\":{}}", "{\"type\":\"unheard_of\",\"data\":1}", "{\"type\":\"dhcp_update\",\"data\":{\"ip\":\"1.1.1.1\"}}" })
            await monitor.WriteAsync(line);
        await monitor.WriteAsync(Discovery);
        await _network.Discovered.WaitAsync(TestTimeout);
        Assert.True(_client.IsConnected);
    }

    [Fact]
    public async Task D38_CommandWithoutAnswer_Fails_AndTheConnectionIsMadeAnew_SoThatALateAnswerIsNobodys()
    {
        await using var monitor = await AcceptAsync();
        await WhenConnectedAsync();
        var answer = await _client.SendAsync(new MonitorCommand { Command = MonitorCommand.GetStatus }, TestTimeout);
        Assert.False(answer.Success);
        Assert.Contains("did not answer get_status", answer.Error);
        await using var again = await AcceptAsync();
        await WhenConnectedAsync();
        var asked = _client.SendAsync(new MonitorCommand { Command = MonitorCommand.StopDhcp }, TestTimeout);
        await again.ReadAsync(TestTimeout);
        await again.WriteAsync("""{"success":false,"error":"none","request_id":1}""");
        await again.WriteAsync("""{"success":true,"request_id":2}""");
        Assert.True((await asked).Success);
    }

    [Fact]
    public async Task WithoutMonitor_CommandsFailAtOnce_AndWhatWasKnownStays()
    {
        Assert.Contains("not connected", (await _client.SendAsync(new MonitorCommand { Command = MonitorCommand.GetStatus }, TestTimeout)).Error);
        await using (var monitor = await AcceptAsync())
        {
            await monitor.WriteAsync(Discovery);
            await _network.Discovered.WaitAsync(TestTimeout);
        }
        await using var again = await AcceptAsync();
        Assert.Single(_network.Interfaces);
    }

    [Fact]
    public async Task D21_Changes_AreRaisedForOtherSubnetsOnly_AndInterfacesThatAreGoneAreForgotten()
    {
        var changed = new List<string>();
        _network.InterfaceChanged += changed.Add;
        await using var monitor = await AcceptAsync();
        await monitor.WriteAsync(Discovery);
        await _network.Discovered.WaitAsync(TestTimeout);
        static string Change(string subnet) => $$$"""
            {"type":"network_change","data":{"interface":"eth0","type":"ethernet","ipv4_addresses":[{"address":"x","prefixlen":24,"subnet":"{{{subnet}}}","network_address":"x"}]}}
            """;
        await monitor.WriteAsync(Change("192.168.77.0/24"));
        await monitor.WriteAsync(Change("192.168.88.0/24"));
        await monitor.WriteAsync("""{"type":"network_change","data":{"interface":"eth0","ipv4_addresses":[],"status":"down"}}""");
        var last = _client.SendAsync(new MonitorCommand { Command = MonitorCommand.GetStatus }, TestTimeout);
        await monitor.ReadAsync(TestTimeout);
        await monitor.WriteAsync("""{"success":true}""");
        await last;
        Assert.Equal(["eth0"], changed);
        Assert.Empty(_network.Interfaces);
    }

    [Fact]
    public async Task D37_MonitorThatCameBackThreeTimes_IsAnsweredToOnce()
    {
        var (connected, changed) = (0, new List<string>());
        _client.Connected += () => Interlocked.Increment(ref connected);
        _network.InterfaceChanged += changed.Add;
        for (var i = 0; i < 3; i++)
        {
            await using var gone = await AcceptAsync();
            await gone.WriteAsync(Discovery);
            await WhenConnectedAsync(i + 1);
        }
        await using var monitor = await AcceptAsync();
        await monitor.WriteAsync(Discovery);
        await monitor.WriteAsync("""{"type":"network_change","data":{"interface":"eth0","type":"ethernet","ipv4_addresses":[{"address":"x","prefixlen":24,"subnet":"192.168.88.0/24","network_address":"x"}]}}""");
        await WhenConnectedAsync(4);
        var last = _client.SendAsync(new MonitorCommand { Command = MonitorCommand.GetStatus }, TestTimeout);
        await monitor.ReadAsync(TestTimeout);
        await monitor.WriteAsync("""{"success":true}""");
        Assert.True((await last).Success);
        Assert.Equal(["eth0"], changed);

        async Task WhenConnectedAsync(int times)
        {
            await Eventually.TrueAsync(() => Volatile.Read(ref connected) >= times, $"connection {times}", TestTimeout);
            Assert.Equal(times, connected);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _listener.Dispose();
        _client.Dispose();
        _stop.Dispose();
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<Monitor> AcceptAsync()
    {
        if (_running.IsCompleted) _running = _client.RunAsync(_stop.Token);
        return new Monitor(await _listener.AcceptAsync(TestTimeout));
    }

    private Task WhenConnectedAsync() => Eventually.TrueAsync(() => _client.IsConnected, "the connection to the monitor", TestTimeout);

    private sealed class Monitor(Socket socket) : IAsyncDisposable
    {
        private readonly StreamReader _reader = new(new NetworkStream(socket, ownsSocket: true), Encoding.UTF8);

        public async Task WriteAsync(string line) => await socket.SendAsync(Encoding.UTF8.GetBytes(line.Trim() + "\n"));

        public async Task<string> ReadAsync(CancellationToken cancellationToken) => (await _reader.ReadLineAsync(cancellationToken))!;

        public ValueTask DisposeAsync()
        {
            _reader.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
