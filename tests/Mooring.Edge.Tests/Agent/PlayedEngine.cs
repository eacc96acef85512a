using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Mooring.Edge.Tests.Agent;

/// <summary>
/// A container engine that is played, for what a real one does only on a bad day: it keeps what it is told, refuses what a test wants refused,
/// and remembers what it was asked for.
/// </summary>
internal sealed class PlayedEngine : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, JsonObject> _containers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, JsonObject> _networks = new(StringComparer.Ordinal);
    private readonly List<string> _execs = [];
    private WebApplication? _application;
    private Channel<string> _events = Channel.CreateBounded<string>(100);
    private int _streams;
    private int _lastPid = 1000;
    private int _lastId;

    /// <summary>Where it listens.</summary>
    public required string SocketPath { get; init; }

    /// <summary>What it says it speaks.</summary>
    public string ApiVersion { get; init; } = "1.41";

    /// <summary>The images that it has.</summary>
    public HashSet<string> Images { get; init; } = ["ghcr.io/autonomy-logic/openplc-runtime:latest"];

    /// <summary>Why a request is refused, by method and path such as <c>POST containers/plc/start</c>; null for most.</summary>
    public Func<string, string?> Refusal { get; set; } = _ => null;

    /// <summary>What containers have written, in the frames of the engine.</summary>
    public byte[] Logs { get; set; } = [];

    /// <summary>The load of every container, as the engine tells it.</summary>
    public JsonObject Stats { get; set; } = [];

    /// <summary>With what a program in a container ends.</summary>
    public Func<string, int> ExitCode { get; set; } = _ => 0;

    /// <summary>All that was asked, in order, but for questions after versions and lists.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>What changed something: the same without questions.</summary>
    public IEnumerable<string> Done => Asked.Where(asked => !asked.StartsWith("GET ", StringComparison.Ordinal));

    /// <summary>How many have listened to events so far.</summary>
    public int Streams => Volatile.Read(ref _streams);

    public static async Task<PlayedEngine> StartAsync(PlayedEngine engine)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(engine.SocketPath));
        builder.WebHost.UseShutdownTimeout(TimeSpan.Zero);
        engine._application = builder.Build();
        engine._application.Run(engine.AnswerAsync);
        await engine._application.StartAsync();
        return engine;
    }

    /// <summary>How often something was asked.</summary>
    public int Count(string asked) => Asked.Count(a => a == asked);

    /// <summary>Puts a container there, as an earlier agent left it.</summary>
    public JsonObject Put(string name, bool isRunning, Action<JsonObject>? change = null)
    {
        var container = NewContainer(name, new JsonObject { ["Image"] = "runtime:latest", ["HostConfig"] = new JsonObject { ["RestartPolicy"] = new JsonObject { ["Name"] = "no" } } });
        change?.Invoke(container);
        lock (_gate) _containers[name] = container;
        if (isRunning) Start(name);
        return container;
    }

    public void PutNetwork(string name, Action<JsonObject>? change = null)
    {
        var network = new JsonObject { ["Id"] = name, ["Name"] = name, ["Driver"] = "bridge" };
        change?.Invoke(network);
        lock (_gate) _networks[name] = network;
    }

    /// <summary>Takes a container away behind the agent's back.</summary>
    public void Lose(string name)
    {
        lock (_gate) _containers.Remove(name);
    }

    public bool Has(string name)
    {
        lock (_gate) return _containers.ContainsKey(name);
    }

    public bool HasNetwork(string name)
    {
        lock (_gate) return _networks.ContainsKey(name);
    }

    /// <summary>A member of a container's description, now.</summary>
    public T Look<T>(string name, Func<JsonObject, T> read)
    {
        lock (_gate) return read(_containers[name]);
    }

    /// <summary>A runtime ends by itself, with or without an event of it.</summary>
    public void End(string name, bool isTold = true)
    {
        lock (_gate) Stop(_containers[name], exitCode: 137);
        if (isTold) Tell("die", name);
    }

    public void Tell(string action, string name) => _events.Writer.TryWrite(new JsonObject
    {
        ["Type"] = "container", ["Action"] = action, ["Actor"] = new JsonObject { ["ID"] = "id-" + name, ["Attributes"] = new JsonObject { ["name"] = name } },
    }.ToJsonString() + "\n");

    /// <summary>Ends the stream of events, as an engine does that is restarted.</summary>
    public void EndEvents()
    {
        var old = _events;
        _events = Channel.CreateBounded<string>(100);
        old.Writer.Complete();
    }

    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        if (_application is not null) await _application.DisposeAsync();
    }

    private static void Stop(JsonObject container, int exitCode) =>
        container["State"] = new JsonObject { ["Status"] = "exited", ["Running"] = false, ["Pid"] = 0, ["ExitCode"] = exitCode };

    private void Start(string name)
    {
        lock (_gate)
            _containers[name]["State"] = new JsonObject
            {
                ["Status"] = "running", ["Running"] = true, ["Pid"] = Interlocked.Increment(ref _lastPid), ["StartedAt"] = "2030-01-01T00:00:00.123456789Z",
            };
    }

    private JsonObject NewContainer(string name, JsonObject asked)
    {
        var networks = new JsonObject { [name + "_internal"] = new JsonObject { ["IPAddress"] = "10.213.0.2", ["Gateway"] = "10.213.0.1" } };
        foreach (var (network, endpoint) in asked["NetworkingConfig"]?["EndpointsConfig"]?.AsObject() ?? [])
            networks[network] = new JsonObject { ["MacAddress"] = endpoint?["MacAddress"]?.DeepClone(), ["IPAddress"] = endpoint?["IPAMConfig"]?["IPv4Address"]?.DeepClone() };
        return new JsonObject
        {
            ["Id"] = $"id{++_lastId}-{name}", ["Name"] = "/" + name, ["Image"] = "sha256:" + name,
            ["State"] = new JsonObject { ["Status"] = "created", ["Running"] = false, ["Pid"] = 0 },
            ["Config"] = new JsonObject { ["Image"] = asked["Image"]?.DeepClone(), ["Labels"] = asked["Labels"]?.DeepClone() },
            ["HostConfig"] = asked["HostConfig"]?.DeepClone(), ["NetworkSettings"] = new JsonObject { ["Networks"] = networks },
        };
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.TrimStart('/');
        if (path.StartsWith('v') && path.Contains('/')) path = path[(path.IndexOf('/') + 1)..];
        var request = $"{context.Request.Method} {path}";
        if (path is not ("version" or "networks" or "containers/json")) Asked.Enqueue(request);
        using var reader = new StreamReader(context.Request.Body);
        var text = await reader.ReadToEndAsync();
        var body = text.Length > 0 ? JsonNode.Parse(text)!.AsObject() : [];
        if (Refusal(request) is { } reason) await AnswerAsync(context, 500, new JsonObject { ["message"] = reason });
        else if (path == "events") await StreamAsync(context);
        else if (path.EndsWith("/logs", StringComparison.Ordinal)) await context.Response.Body.WriteAsync(Logs);
        else if (path.StartsWith("exec/", StringComparison.Ordinal) && path.EndsWith("/start", StringComparison.Ordinal)) context.Response.StatusCode = 200;
        else
        {
            var (status, answer) = Answer(context.Request, path, body);
            await AnswerAsync(context, status, answer);
        }
    }

    private static async Task AnswerAsync(HttpContext context, int status, JsonNode? answer)
    {
        context.Response.StatusCode = status;
        if (answer is not null) await context.Response.WriteAsync(answer.ToJsonString());
    }

    private async Task StreamAsync(HttpContext context)
    {
        var events = _events;
        await context.Response.StartAsync();
        await context.Response.Body.FlushAsync();
        Interlocked.Increment(ref _streams);
        await foreach (var line in events.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.WriteAsync(line);
            await context.Response.Body.FlushAsync();
        }
    }

    private (int Status, JsonNode? Answer) Answer(HttpRequest request, string path, JsonObject body)
    {
        lock (_gate)
            return path.Split('/') switch
            {
                ["version"] => (200, new JsonObject { ["Version"] = "played", ["ApiVersion"] = ApiVersion }),
                ["images", "create"] => (404, new JsonObject { ["message"] = "the registry does not have it" }),
                ["images", .., "json"] => Images.Contains(path["images/".Length..^"/json".Length]) ? (200, new JsonObject { ["Id"] = "sha256:1" }) : (404, null),
                ["containers", "json"] => (200, new JsonArray([.. _containers.Select(Summary)])),
                ["containers", "create"] => Create(request.Query["name"].ToString(), body),
                ["containers", var name] when request.Method == "DELETE" => (_containers.Remove(NameOf(name)) ? 204 : 404, null),
                ["containers", var name, "rename"] => Rename(NameOf(name), request.Query["name"].ToString()),
                ["containers", var name, var verb] => _containers.TryGetValue(NameOf(name), out var container) ? Container(NameOf(name), verb, container, body) : (404, null),
                ["exec", var id, "json"] => (200, new JsonObject { ["Running"] = false, ["ExitCode"] = ExitCode(_execs[int.Parse(id)]) }),
                ["networks"] => (200, new JsonArray([.. _networks.Values.Select(network => network.DeepClone())])),
                ["networks", "create"] => CreateNetwork(body),
                ["networks", var name] when request.Method == "DELETE" => (_networks.Remove(name) ? 204 : 404, null),
                ["networks", var name] => _networks.TryGetValue(name, out var network) ? (200, network.DeepClone()) : (404, null),
                ["networks", _, "connect" or "disconnect"] => (200, null),
                _ => (404, null),
            };
    }

    private static JsonNode Summary(KeyValuePair<string, JsonObject> container) => new JsonObject
    {
        ["Id"] = container.Value["Id"]!.DeepClone(), ["Names"] = new JsonArray("/" + container.Key), ["State"] = container.Value["State"]!["Status"]!.DeepClone(),
        ["Labels"] = container.Value["Config"]!["Labels"]?.DeepClone(),
    };

    private (int Status, JsonNode? Answer) Create(string name, JsonObject asked)
    {
        _containers[name] = NewContainer(name, asked);
        return (201, new JsonObject { ["Id"] = _containers[name]["Id"]!.DeepClone() });
    }

    private string NameOf(string nameOrId) => _containers.FirstOrDefault(container => (string?)container.Value["Id"] == nameOrId).Key ?? nameOrId;

    private (int Status, JsonNode? Answer) Rename(string name, string newName)
    {
        if (!_containers.Remove(name, out var container)) return (404, null);
        _containers[newName] = container;
        return (204, null);
    }

    private (int Status, JsonNode? Answer) CreateNetwork(JsonObject asked)
    {
        var name = (string)asked["Name"]!;
        _networks[name] = new JsonObject { ["Id"] = name, ["Name"] = name, ["Driver"] = asked["Driver"]!.DeepClone(), ["IPAM"] = asked["IPAM"]?.DeepClone() };
        return (201, new JsonObject { ["Id"] = name });
    }

    private (int Status, JsonNode? Answer) Container(string name, string verb, JsonObject container, JsonObject body)
    {
        switch (verb)
        {
            case "stats":
                return (200, Stats.DeepClone());
            case "json":
                return (200, container.DeepClone());
            case "start":
                Start(name);
                return (204, null);
            case "stop":
                Stop(container, exitCode: 0);
                return (204, null);
            case "update" when body["RestartPolicy"] is { } policy:
                container["HostConfig"]!["RestartPolicy"] = policy.DeepClone();
                return (200, new JsonObject());
            case "exec":
                var command = string.Join(' ', body["Cmd"]!.AsArray().Select(word => (string)word!));
                _execs.Add(command);
                Asked.Enqueue($"EXEC {command}");
                return (201, new JsonObject { ["Id"] = (_execs.Count - 1).ToString() });
            default:
                return (404, null);
        }
    }
}
