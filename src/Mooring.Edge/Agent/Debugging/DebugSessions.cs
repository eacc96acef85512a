using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Hubs;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Protocol.Debug;

namespace Mooring.Edge.Agent.Debugging;

/// <summary>The debug sessions of hubs, one for each device: requests in the words of browsers, to requests of the runtimes.</summary>
internal sealed class DebugSessions(RuntimeCaller caller, TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
{
    /// <summary>A session that nobody uses for so long is closed.</summary>
    internal static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(300);

    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LoginTimeout = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, DebugSession> _sessions = new(StringComparer.Ordinal);

    /// <summary>Answers a request. What goes wrong is an answer too: <c>debug_error</c>.</summary>
    /// <param name="device">The device.</param>
    /// <param name="address">Its address.</param>
    /// <param name="port">The runtime's port.</param>
    /// <param name="message">The request: <c>type</c> and what belongs to it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<JsonObject> AnswerAsync(string device, string address, int port, JsonElement message, CancellationToken cancellationToken)
    {
        try
        {
            if (message.ValueKind != JsonValueKind.Object) throw new DebugException("data must be an object with a type");
            return await DispatchAsync(device, address, port, new TopicRequest(message), cancellationToken).ConfigureAwait(false);
        }
        catch (DebugException e)
        {
            return Tell("debug_error", ("error", e.Message));
        }
    }

    /// <summary>Closes sessions that nobody uses, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(SweepPeriod, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
                foreach (var (device, session) in _sessions)
                    if (time.GetElapsedTime(session.UsedAt) >= IdleMax) await CloseAsync(device).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The agent stops.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var device in _sessions.Keys) await CloseAsync(device).ConfigureAwait(false);
    }

    private async Task<JsonObject> DispatchAsync(string device, string address, int port, TopicRequest request, CancellationToken cancellationToken)
    {
        switch (request.Text("type"))
        {
            case "debug_start":
                await StartAsync(device, address, (int)(request.Number("port") ?? port), request, cancellationToken).ConfigureAwait(false);
                return Tell("debug_connected");
            case "debug_stop":
                await CloseAsync(device).ConfigureAwait(false);
                return Tell("debug_disconnected");
        }
        var session = _sessions.GetValueOrDefault(device) ?? throw new DebugException($"{device} has no debug session; begin with debug_start");
        return request.Text("type") switch
        {
            "debug_get_md5" => Md5(await session.AskAsync(DebugPdu.GetMd5(), cancellationToken).ConfigureAwait(false)),
            "debug_info" => Info(await session.AskAsync(DebugPdu.Info(), cancellationToken).ConfigureAwait(false)),
            "debug_get_list" => Values(await session.AskAsync(DebugPdu.GetList(IndexesOf(request)), cancellationToken).ConfigureAwait(false)),
            "debug_set" => Set(await session.AskAsync(SetOf(request), cancellationToken).ConfigureAwait(false)),
            "debug_command" => Tell("debug_command_response",
                ("data", DebugPdu.ToHex(await session.AskAsync(CommandOf(request), cancellationToken).ConfigureAwait(false)))),
            var type => throw new DebugException($"{type ?? "a request without type"} is not known: debug_start, debug_get_md5, debug_info, debug_get_list, debug_set, debug_command, debug_stop"),
        };
    }

    private async Task StartAsync(string device, string address, int port, TopicRequest request, CancellationToken cancellationToken)
    {
        if (port is < 1 or > 65_535) throw new DebugException($"port {port} is not a port: 1 to 65535");
        await CloseAsync(device).ConfigureAwait(false);
        var token = request.Text("token") ?? await LoginAsync(device, address, port, request, cancellationToken).ConfigureAwait(false);
        var scheme = port == RuntimeCall.SecurePort ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;
        var pin = await PinAsync(device, port, cancellationToken).ConfigureAwait(false);
        var session = await DebugSession.OpenAsync(new UriBuilder(scheme, address, port).Uri, token, pin, time, loggers, cancellationToken).ConfigureAwait(false);
        if (_sessions.TryAdd(device, session)) return;
        // Two began at the same time: the first stays.
        await session.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<RuntimePin?> PinAsync(string device, int port, CancellationToken cancellationToken)
    {
        try
        {
            return await caller.PinAsync(device, port, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is EngineException or DeviceException)
        {
            throw new DebugException($"the certificate of {device} cannot be looked at: {e.Message}");
        }
    }

    private async Task<string> LoginAsync(string device, string address, int port, TopicRequest request, CancellationToken cancellationToken)
    {
        if (request.Text("username") is not { Length: > 0 } user || request.Text("password") is not { } password)
            throw new DebugException("username and password, or token, are needed");
        var login = JsonSerializer.SerializeToElement(new JsonObject { ["username"] = user, ["password"] = password }, HubMessageJson.Default.JsonObject);
        var answer = await caller.CallAsync(device, address,
            new RuntimeCall { Method = "POST", Api = "api/login", Port = port, Data = login, Timeout = LoginTimeout }, cancellationToken).ConfigureAwait(false);
        var response = answer["http_response"]!;
        if (response["body"] is JsonObject body && body["access_token"] is JsonValue token && token.TryGetValue<string>(out var text)) return text;
        if ((int)response["status_code"]! == 502 && response["body"] is JsonObject refused && refused["error"] is JsonValue reason) throw new DebugException(reason.ToString());
        throw new DebugException((int)response["status_code"]! is >= 200 and < 300
            ? "the runtime's login gave no access_token" : $"the runtime refused the login: {(int)response["status_code"]!}");
    }

    private async Task CloseAsync(string device)
    {
        if (_sessions.TryRemove(device, out var session)) await session.DisposeAsync().ConfigureAwait(false);
    }

    private static ushort[] IndexesOf(TopicRequest request)
    {
        var indexes = request.Items("indexes").Select(i => i.ValueKind == JsonValueKind.Number && i.TryGetUInt16(out var index) ? index : (ushort?)null).ToList();
        if (indexes.Count is 0 or > DebugPdu.IndexesMax || indexes.Contains(null))
            throw new DebugException($"indexes must be 1 to {DebugPdu.IndexesMax} numbers from 0 to 65535");
        return [.. indexes.Select(i => i!.Value)];
    }

    private static byte[] SetOf(TopicRequest request)
    {
        if (request.Find("index") is not { ValueKind: JsonValueKind.Number } number || !number.TryGetUInt16(out var index))
            throw new DebugException("index must be a number from 0 to 65535");
        if (!DebugPdu.TryParseHex(request.Text("value") ?? "00", out var value) || value.Length > ushort.MaxValue)
            throw new DebugException("value must be hexadecimal digits, two for each byte");
        return DebugPdu.Set(index, request.Flag("force", absent: true), value);
    }

    private static byte[] CommandOf(TopicRequest request) =>
        DebugPdu.TryParseHex(request.Text("command"), out var pdu) && pdu.Length > 0 ? pdu : throw new DebugException("command must be hexadecimal digits, two for each byte");

    private static JsonObject Md5(byte[] pdu)
    {
        if (!DebugPdu.TryReadMd5(pdu, out var status, out var md5)) throw Unreadable(pdu);
        Check(status);
        return Tell("debug_md5_response", ("md5", md5));
    }

    private static JsonObject Info(byte[] pdu) =>
        DebugPdu.TryReadInfo(pdu, out var count) ? Tell("debug_info_response", ("variable_count", count)) : throw Unreadable(pdu);

    private static JsonObject Values(byte[] pdu)
    {
        if (!DebugPdu.TryReadList(pdu, out var status, out var tick, out var values)) throw Unreadable(pdu);
        Check(status);
        return Tell("debug_values_response", ("tick", tick), ("data", DebugPdu.ToHex(values)));
    }

    private static JsonObject Set(byte[] pdu)
    {
        if (!DebugPdu.TryReadSet(pdu, out var status)) throw Unreadable(pdu);
        Check(status);
        return Tell("debug_set_response", ("success", true));
    }

    private static void Check(byte status)
    {
        if (status != DebugPdu.Good) throw new DebugException($"the runtime refused: {DebugPdu.NameOf(status)}");
    }

    private static DebugException Unreadable(byte[] pdu) => new($"the runtime's answer cannot be read: {DebugPdu.ToHex(pdu)}");

    private static JsonObject Tell(string type, params ReadOnlySpan<(string Name, JsonNode? Value)> members)
    {
        var answer = new JsonObject { ["type"] = type };
        foreach (var (name, value) in members) answer[name] = value;
        return answer;
    }
}
