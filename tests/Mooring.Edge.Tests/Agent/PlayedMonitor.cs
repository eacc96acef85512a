using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Mooring.Edge.Tests.Agent;

/// <summary>A network monitor that is played: it tells what a test has it tell, and answers commands as a test wants.</summary>
internal sealed class PlayedMonitor : IAsyncDisposable
{
    /// <summary>A wired interface with a subnet, a wireless one, and a wired one without address.</summary>
    public const string Discovery = """
        {"type":"network_discovery","data":{"interfaces":[
        {"interface":"eth0","type":"ethernet","mac":"02:00:00:00:00:07","gateway":"192.168.77.1","ipv4_addresses":[{"address":"192.168.77.10","prefixlen":24,"subnet":"192.168.77.0/24","network_address":"192.168.77.0"}]},
        {"interface":"wlan0","type":"wifi","gateway":"10.0.0.1","ipv4_addresses":[{"address":"10.0.0.2","prefixlen":24,"subnet":"10.0.0.0/24","network_address":"10.0.0.0"}]},
        {"interface":"eth1","type":"ethernet","ipv4_addresses":[]}],"timestamp":"t"}}
        """;

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task _accepting;
    private Socket? _agent;

    public PlayedMonitor(string folder)
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, "netmon.sock")));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    /// <summary>What it was told to do, in order.</summary>
    public ConcurrentQueue<JsonObject> Commands { get; } = new();

    /// <summary>What a command is answered with; success unless a test says otherwise.</summary>
    public Func<JsonObject, JsonObject> Answer { get; set; } = _ => Success();

    public static JsonObject Success() => new() { ["success"] = true };

    public static JsonObject Failure(string reason) => new() { ["success"] = false, ["error"] = reason };

    /// <summary>The names of the commands for one vNIC or interface, in order.</summary>
    public IEnumerable<string> Named(string member, string value) =>
        Commands.Where(command => (string?)command[member] == value).Select(command => (string)command["command"]!);

    /// <summary>Tells the agent something.</summary>
    public async Task TellAsync(string line) => await _agent!.SendAsync(Encoding.UTF8.GetBytes(line.ReplaceLineEndings("") + "\n"));

    /// <summary>Ends the connection; the agent makes another.</summary>
    public void Drop() => _agent!.Dispose();

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _agent?.Dispose();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _agent = await _listener.AcceptAsync();
                await TellAsync(Discovery);
                await ServeAsync(_agent);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket agent)
    {
        try
        {
            using var reader = new StreamReader(new NetworkStream(agent));
            while (await reader.ReadLineAsync() is { } line)
            {
                var command = JsonNode.Parse(line)!.AsObject();
                Commands.Enqueue(command);
                var answer = Answer(command);
                answer["request_id"] = command["request_id"]!.DeepClone();
                await TellAsync(answer.ToJsonString());
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The agent left, or the test cut the line.
        }
    }
}
