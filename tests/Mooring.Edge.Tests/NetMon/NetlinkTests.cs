using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Testing;

namespace Mooring.Edge.Tests.NetMon;

/// <summary>The network monitor under a storm of changes, with the kernel's own messages in a network namespace.</summary>
[Trait("Peer", "real")]
[Collection(nameof(RoughPlantFloor))]
public sealed class NetlinkTests(RoughPlantFloor plant) : MooringTest
{
    private const string Nic = "ens38";

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-netlink-").FullName;

    [Fact]
    public async Task AThousandEvents_AreToldAsOneChange_WithTheLastState()
    {
        var monitor = await StartAsync();
        using var agent = await ConnectAsync();
        await agent.NextAsync("network_discovery", _ => true, TestTimeout);
        try
        {
            await StormAsync(rounds: 500, address: "192.0.2.7/24");
            await agent.NextAsync("network_change", change => IsAbout(change) && AddressesOf(change) is ["192.0.2.7"], TestTimeout);
            // The first is from before the storm, should the repetition of all interfaces fall into it.
            Assert.InRange(agent.Seen.Count(line => IsAbout(line) && AddressesOf(line) is not ["192.0.2.7"]), 0, 1);
        }
        finally
        {
            await HostAsync($"ip addr flush dev {Nic}");
        }
        monitor.Terminate();
        Assert.Equal(0, await monitor.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task MoreEventsThanTheKernelKeeps_LoseNothingOfTheLastState()
    {
        var monitor = await StartAsync();
        using var agent = await ConnectAsync();
        await agent.NextAsync("network_discovery", _ => true, TestTimeout);
        try
        {
            // A monitor that is held up for a while reads nothing, and the kernel's memory for its messages runs over.
            monitor.Freeze();
            await StormAsync(rounds: 5_000, address: "192.0.2.8/24");
            monitor.Thaw();
            await agent.NextAsync("network_change", change => IsAbout(change) && AddressesOf(change) is ["192.0.2.8"], TestTimeout);
            // The repetition of all interfaces may have told of it before the messages were read.
            var status = await NetlinkStatusAsync(agent, 1);
            for (var id = 2; id < 1_000 && status.GetProperty("overruns").GetInt32() == 0; id++)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestTimeout);
                status = await NetlinkStatusAsync(agent, id);
            }
            Assert.InRange(status.GetProperty("overruns").GetInt32(), 1, 1_000);
            Assert.Equal((false, 0), (status.GetProperty("degraded").GetBoolean(), status.GetProperty("consecutive_errors").GetInt32()));
            // And it hears on.
            await HostAsync($"ip addr flush dev {Nic}; ip addr add 192.0.2.9/24 dev {Nic}");
            await agent.NextAsync("network_change", change => IsAbout(change) && AddressesOf(change) is ["192.0.2.9"], TestTimeout);
        }
        finally
        {
            monitor.Thaw();
            await HostAsync($"ip addr flush dev {Nic}");
        }
    }

    [Fact]
    public async Task SecondAgent_WhoseComingFallsIntoAChange_TakesItFromNobody()
    {
        await StartAsync();
        using var first = await ConnectAsync();
        await first.NextAsync("network_discovery", _ => true, TestTimeout);
        try
        {
            await HostAsync($"ip addr add 192.0.2.10/24 dev {Nic}");
            // It is told of the address at once, the first one when the network has settled.
            using var second = await ConnectAsync();
            var told = await second.NextAsync("network_discovery", _ => true, TestTimeout);
            Assert.Contains("192.0.2.10", told.ToString());
            await first.NextAsync("network_change", change => IsAbout(change) && AddressesOf(change) is ["192.0.2.10"], TestTimeout);
        }
        finally
        {
            await HostAsync($"ip addr flush dev {Nic}");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<JsonElement> NetlinkStatusAsync(Agent agent, int id)
    {
        await agent.AskAsync($$"""{"command":"get_netlink_status","request_id":{{id}}}""");
        return (await agent.NextAsync(null, line => line.TryGetProperty("request_id", out var asked) && asked.GetInt32() == id, TestTimeout)).GetProperty("status");
    }

    private static bool IsAbout(JsonElement line) =>
        line.TryGetProperty("type", out var type) && type.GetString() == "network_change" && line.GetProperty("data").GetProperty("interface").GetString() == Nic;

    private static string[] AddressesOf(JsonElement change) =>
        [.. change.GetProperty("data").GetProperty("ipv4_addresses").EnumerateArray().Select(address => address.GetProperty("address").GetString()!)];

    private async Task<ProcessUnderTest> StartAsync()
    {
        await plant.UpAsync(TestTimeout);
        var monitor = Own(plant.StartOnHost("netmon", "--data-dir", _folder, "--serial-dir", Path.Combine(_folder, "none")));
        await monitor.LineAsync("listens at", TestTimeout);
        return monitor;
    }

    private async Task StormAsync(int rounds, string address)
    {
        var batch = new StringBuilder();
        for (var round = 0; round < rounds; round++) batch.Append($"addr add 198.51.100.1/24 dev {Nic}\naddr del 198.51.100.1/24 dev {Nic}\n");
        var file = Path.Combine(_folder, "storm");
        await File.WriteAllTextAsync(file, batch.Append($"addr add {address} dev {Nic}\n").ToString(), TestTimeout);
        var (exitCode, output) = await plant.RunAsync(TestTimeout, onHost: true, "ip", "-batch", file);
        Assert.True(exitCode == 0, output);
    }

    private Task HostAsync(string commands) => plant.RunAsync(TestTimeout, onHost: true, "sh", "-c", commands);

    private async Task<Agent> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_folder, "netmon.sock")), TestTimeout);
        return new Agent(socket);
    }

    private sealed class Agent(Socket socket) : IDisposable
    {
        private readonly StreamReader _reader = new(new NetworkStream(socket, ownsSocket: true));

        public List<JsonElement> Seen { get; } = [];

        public async Task AskAsync(string command) => await socket.SendAsync(Encoding.UTF8.GetBytes(command + "\n"));

        /// <summary>The next line of a type, or answer, that is wanted.</summary>
        public async Task<JsonElement> NextAsync(string? type, Func<JsonElement, bool> isWanted, CancellationToken cancellationToken)
        {
            while (await _reader.ReadLineAsync(cancellationToken) is { } line)
            {
                var told = JsonNode.Parse(line)!.Deserialize<JsonElement>();
                Seen.Add(told);
                if ((type is null ? !told.TryGetProperty("type", out _) : told.TryGetProperty("type", out var its) && its.GetString() == type) && isWanted(told)) return told;
            }
            throw new InvalidOperationException("the monitor ended the connection");
        }

        public void Dispose() => _reader.Dispose();
    }
}
