using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Edge.NetMon;
using Mooring.Testing;

namespace Mooring.Edge.Tests.NetMon;

/// <summary>The network monitor's socket, spoken to line by line. No command here gets as far as the machine.</summary>
public sealed class MonitorServerTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-monitor-").FullName;

    [Fact]
    public async Task Client_IsToldInterfacesAndSerialDevicesAtOnce_AndTheSocketIsOwnersAndGroupsOnly()
    {
        await StartAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(Path.Combine(_folder, "netmon.sock")));
        using var client = await ConnectAsync();
        var discovery = await client.LineAsync(TestTimeout);
        Assert.Equal("network_discovery", discovery.GetProperty("type").GetString());
        Assert.DoesNotContain(discovery.GetProperty("data").GetProperty("interfaces").EnumerateArray(), nic => nic.GetProperty("interface").GetString() == "lo");
        Assert.Equal("device_discovery", (await client.LineAsync(TestTimeout)).GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("no json", "Invalid JSON")]
    [InlineData("7", "Invalid JSON")]
    [InlineData("null", "Invalid JSON")]
    [InlineData("""{"command":"make_coffee"}""", "Unknown command: make_coffee")]
    [InlineData("{}", "Unknown command")]
    [InlineData("""{"command":"start_dhcp","vnic_name":"a","mac_address":"02:00:00:00:00:01","container_pid":1}""", "container_name is needed")]
    [InlineData("""{"command":"start_dhcp","container_name":"plc","mac_address":"02:00:00:00:00:01","container_pid":1}""", "vnic_name is needed")]
    [InlineData("""{"command":"start_dhcp","container_name":"plc","vnic_name":"a","mac_address":"none","container_pid":1}""", "not the address of a station")]
    [InlineData("""{"command":"start_dhcp","container_name":"plc","vnic_name":"a","mac_address":"02:00:00:00:00:01","container_pid":0}""", "container_pid must be the number of a running process")]
    [InlineData("""{"command":"start_dhcp","container_name":"plc","vnic_name":"a","mac_address":"02:00:00:00:00:01","container_pid":-1}""", "container_pid must be the number of a running process")]
    [InlineData("""{"command":"start_dhcp","container_name":"plc","vnic_name":"a","mac_address":"02:00:00:00:00:01","container_pid":4194399}""", "container_pid must be the number of a running process")]
    [InlineData("""{"command":"stop_dhcp","container_name":"plc","vnic_name":"a"}""", "no DHCP client runs for plc:a")]
    [InlineData("""{"command":"renew_dhcp","container_name":"plc","vnic_name":"a"}""", "no DHCP client runs for plc:a")]
    [InlineData("""{"command":"request_wifi_dhcp","container_name":"plc","vnic_name":"a","parent_interface":"wlan0;reboot","container_pid":1}""", "is not the name of an interface")]
    [InlineData("""{"command":"attach_vnic","container_name":"plc","vnic_name":"a","mac_address":"02:00:00:00:00:01","parent_interface":"abcdefghijklmnop","container_pid":1}""", "is not the name of an interface")]
    [InlineData("""{"command":"setup_proxy_arp_bridge","container_name":"plc","parent_interface":"wlan0","container_pid":1,"ip_address":"10.0.0"}""", "is not an IPv4 address")]
    [InlineData("""{"command":"setup_proxy_arp_bridge","container_name":"plc","parent_interface":"wlan0","container_pid":1,"ip_address":"10.0.0.9","gateway":"gw"}""", "gateway gw is not an IPv4 address")]
    [InlineData("""{"command":"setup_proxy_arp_bridge","container_name":"plc","parent_interface":"wlan0","container_pid":1,"ip_address":"10.0.0.9","subnet_mask":"255.0.255.0"}""", "neither a mask nor the length of a prefix")]
    [InlineData("""{"command":"cleanup_proxy_arp_bridge"}""", "container_name is needed")]
    [InlineData("""{"command":"cleanup_proxy_arp_bridge","container_name":"plc","veth_host":"../x"}""", "is not the name of an interface")]
    [InlineData("""{"command":"move_nic_to_container","host_interface":"$(id)","container_pid":1}""", "must be the name of an interface")]
    [InlineData("""{"command":"move_nic_to_container","host_interface":"eth9","container_pid":0}""", "container_pid must be the number of a running process")]
    [InlineData("""{"command":"return_nic_to_host","host_interface":"eth9"}""", "container_pid must be the number of a running process")]
    [InlineData("""{"command":"check_nic_in_container","container_pid":1}""", "must be the name of an interface")]
    public async Task CommandThatCannotBe_IsAnsweredWithWhatIsWrong_AndTheConnectionStays(string command, string reason)
    {
        await StartAsync();
        using var client = await ConnectAsync();
        await client.SayAsync(command);
        var answer = await client.AnswerAsync(TestTimeout);
        Assert.False(answer.GetProperty("success").GetBoolean());
        Assert.Contains(reason, answer.GetProperty("error").GetString());
        await client.SayAsync("""{"command":"get_status","request_id":9}""");
        var status = await client.AnswerAsync(TestTimeout);
        Assert.Equal((true, 9), (status.GetProperty("success").GetBoolean(), status.GetProperty("request_id").GetInt32()));
        Assert.Equal(1, status.GetProperty("status").GetProperty("clients_connected").GetInt32());
    }

    [Fact]
    public async Task Answer_GoesToTheOneWhoAsked_WithItsNumber()
    {
        await StartAsync();
        using var first = await ConnectAsync();
        using var second = await ConnectAsync();
        foreach (var (client, number) in new[] { (first, 1), (second, 2), (first, 3) }) await client.SayAsync($$"""{"command":"discover_devices","request_id":{{number}}}""");
        var numbers = new[] { (await first.AnswerAsync(TestTimeout)).GetProperty("request_id").GetInt32(), (await first.AnswerAsync(TestTimeout)).GetProperty("request_id").GetInt32() };
        Assert.Equal([1, 3], numbers.Order());
        Assert.Equal(2, (await second.AnswerAsync(TestTimeout)).GetProperty("request_id").GetInt32());
    }

    [Fact]
    public async Task ClientThatReadsNothing_IsSentAway_AndOthersGoOn()
    {
        await StartAsync();
        using var deaf = await ConnectAsync();
        using var other = await ConnectAsync();
        // More answers than may wait for it, to questions that cost nothing.
        var flood = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{}\n", 500)));
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await deaf.SendAsync(flood, TestTimeout);
                return false;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                return true;
            }
        }, "the end of the connection", TestTimeout);
        await other.SayAsync("""{"command":"get_status","request_id":1}""");
        await Eventually.TrueAsync(async () =>
        {
            await other.SayAsync("""{"command":"get_status"}""");
            return (await other.AnswerAsync(TestTimeout)).GetProperty("status").GetProperty("clients_connected").GetInt32() == 1;
        }, "its place", TestTimeout);
    }

    [Fact]
    public async Task LineWithoutEnd_EndsTheConnection()
    {
        await StartAsync();
        using var client = await ConnectAsync();
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await client.SendAsync(new byte[64 * 1024], TestTimeout);
                return false;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                return true;
            }
        }, "the end of the connection", TestTimeout);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(Log);
        builder.Services.AddSingleton(TimeProvider.System).AddNetworkMonitor(new NetMonOptions { DataFolder = _folder, SerialFolder = Path.Combine(_folder, "none") });
        var host = builder.Build();
        Own(new RunningHost(host));
        await host.StartAsync(TestTimeout);
    }

    private async Task<Client> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_folder, "netmon.sock")), TestTimeout);
        return new Client(socket);
    }

    private sealed class RunningHost(IHost host) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await host.StopAsync();
            host.Dispose();
        }
    }

    private sealed class Client(Socket socket) : IDisposable
    {
        private readonly StreamReader _reader = new(new NetworkStream(socket, ownsSocket: true));

        public Task SayAsync(string line) => SendAsync(Encoding.UTF8.GetBytes(line + "\n"), CancellationToken.None);

        public async Task SendAsync(byte[] bytes, CancellationToken cancellationToken) => await socket.SendAsync(bytes, cancellationToken);

        public async Task<JsonElement> LineAsync(CancellationToken cancellationToken) =>
            JsonDocument.Parse(await _reader.ReadLineAsync(cancellationToken) ?? throw new IOException("the monitor ended the connection")).RootElement;

        public async Task<JsonElement> AnswerAsync(CancellationToken cancellationToken)
        {
            while (true)
                if (await LineAsync(cancellationToken) is var line && !line.TryGetProperty("type", out _)) return line;
        }

        public void Dispose() => _reader.Dispose();
    }
}
