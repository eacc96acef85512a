using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Testing;

namespace Mooring.SocketIO.Tests.Peers;

/// <summary>A peer from npm that takes commands and tells what happens, both as JSON lines.</summary>
internal sealed class RemoteControlled(ProcessUnderTest process) : IAsyncDisposable
{
    private int _tags;

    public static RemoteControlled Client(Uri address, JsonObject? options = null, JsonObject? tls = null, JsonNode? auth = null)
    {
        var setup = new JsonObject { ["url"] = address.ToString().TrimEnd('/'), ["options"] = options, ["tls"] = tls };
        return new RemoteControlled(ProcessUnderTest.Start(
            NodePeer.Start("socketio-client.cjs", setup.ToJsonString(), auth?.ToJsonString() ?? "null")));
    }

    public static RemoteControlled Server(JsonObject? options = null, JsonObject? tls = null, int port = 0, bool tellsBeats = false)
    {
        var setup = new JsonObject { ["options"] = options, ["tls"] = tls, ["port"] = port, ["beats"] = tellsBeats };
        return new RemoteControlled(ProcessUnderTest.Start(NodePeer.Start("socketio-server.cjs", setup.ToJsonString())));
    }

    public IReadOnlyList<string> Lines => process.Lines;

    public ProcessUnderTest Process => process;

    public async Task DoAsync(JsonObject command)
    {
        await process.Input.WriteLineAsync(command.ToJsonString());
        await process.Input.FlushAsync();
    }

    public Task DoAsync(string what) => DoAsync(new JsonObject { ["do"] = what });

    /// <summary>Waits for a line with all these pieces of JSON; one that came before counts.</summary>
    public async Task<JsonElement> HeardAsync(CancellationToken cancellationToken, params string[] pieces)
    {
        var line = await process.LineAsync(
            l => pieces.All(p => l.Contains(p, StringComparison.Ordinal)), string.Join(" and ", pieces), cancellationToken);
        return JsonDocument.Parse(line).RootElement;
    }

    /// <summary>Has the peer make a call; returns what it was answered.</summary>
    public async Task<JsonElement> CallAsync(string name, JsonArray arguments, CancellationToken cancellationToken, string nsp = "/")
    {
        var tag = Interlocked.Increment(ref _tags);
        await DoAsync(new JsonObject { ["do"] = "call", ["name"] = name, ["args"] = arguments, ["tag"] = tag, ["nsp"] = nsp });
        var answer = await HeardAsync(cancellationToken, $"\"tag\":{tag},");
        return answer.TryGetProperty("args", out var args) ? args : throw new InvalidOperationException(answer.ToString());
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
