using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Hubs;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Edge.Protocol.Debug;
using Mooring.Kernel.Links;
using Mooring.SocketIO;

namespace Mooring.Edge.Agent.Debugging;

/// <summary>A connection to the debugger of one runtime. One request at a time; it is not made anew when it ends.</summary>
internal sealed class DebugSession : IAsyncDisposable
{
    /// <summary>For the runtime to say that it is ready.</summary>
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(10);

    /// <summary>For the answer to a request: the runtime gives it between two of its cycles.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly SocketIOClient _client;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _oneRequest = new(1, 1);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<byte[]>? _asked;
    private Task _running = Task.CompletedTask;

    private DebugSession(Uri runtime, string token, RuntimePin? pin, TimeProvider time, ILoggerFactory loggers)
    {
        _time = time;
        _client = new SocketIOClient(new SocketIOClientOptions
        {
            Address = runtime, UsesProxy = false, VerifiesServer = false, AcceptsCertificate = pin is null ? null : pin.Accepts, ConnectTimeout = ReadyTimeout,
        }, time, loggers);
        var auth = System.Text.Json.JsonSerializer.SerializeToElement(new JsonObject { ["token"] = token }, HubMessageJson.Default.JsonObject);
        Namespace.AuthenticateWith(() => auth)
            .OnRefused(error => End($"the runtime's debugger refused: {error.Message}"))
            .OnDisconnected(_ => End("the connection to the runtime's debugger ended"))
            .On("connected", (_, _) =>
            {
                _ready.TrySetResult();
                return ValueTask.CompletedTask;
            })
            .On("debug_response", (_, e) =>
            {
                Answer(e.GetElement(0));
                return ValueTask.CompletedTask;
            });
        _client.Link.Moved += move =>
        {
            // A failed first try, or the end: whoever debugs asks again.
            if (move.To is LinkState.Waiting or LinkState.Stopped) End(move.Reason ?? "the runtime's debugger cannot be reached");
        };
    }

    /// <summary>When it was last used.</summary>
    public long UsedAt { get; private set; }

    private SocketIOClientNamespace Namespace => _client.Of("/api/debug");

    /// <summary>Connects to a runtime's debugger.</summary>
    /// <exception cref="DebugException">it did not let us in</exception>
    public static async Task<DebugSession> OpenAsync(
        Uri runtime, string token, RuntimePin? pin, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var session = new DebugSession(runtime, token, pin, time, loggers) { UsedAt = time.GetTimestamp() };
        session._running = session._client.RunAsync(session._stop.Token);
        try
        {
            await session._ready.Task.WaitAsync(ReadyTimeout, time, cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch (Exception e)
        {
            await session.DisposeAsync().ConfigureAwait(false);
            if (pin?.Refusal is { } refusal) throw new DebugException(refusal);
            if (e is TimeoutException) throw new DebugException($"the runtime's debugger was not ready within {ReadyTimeout.TotalSeconds} s");
            throw;
        }
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="DebugException">there is none, or it is an error</exception>
    public async Task<byte[]> AskAsync(byte[] pdu, CancellationToken cancellationToken)
    {
        await _oneRequest.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            UsedAt = _time.GetTimestamp();
            // Anew for each request: an answer that comes too late belongs to nobody.
            var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _asked, answer);
            await Namespace.EmitAsync("debug_command", new JsonObject { ["command"] = DebugPdu.ToHex(pdu) }, HubMessageJson.Default.JsonObject, cancellationToken)
                .ConfigureAwait(false);
            return await answer.Task.WaitAsync(AnswerTimeout, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new DebugException($"the runtime's debugger did not answer within {AnswerTimeout.TotalSeconds} s");
        }
        catch (SocketIOCallException e)
        {
            throw new DebugException($"the runtime's debugger cannot be asked: {e.Message}");
        }
        finally
        {
            Volatile.Write(ref _asked, null);
            _oneRequest.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private void Answer(System.Text.Json.JsonElement answer)
    {
        if (Volatile.Read(ref _asked) is not { } asked) return;
        var told = answer.ValueKind == System.Text.Json.JsonValueKind.Object ? new Topics.TopicRequest(answer) : null;
        if (told?.Flag("success", absent: false) == true && DebugPdu.TryParseHex(told.Text("data"), out var pdu)) asked.TrySetResult(pdu);
        else asked.TrySetException(new DebugException($"the runtime's debugger answered: {told?.Text("error") ?? "nothing that can be read"}"));
    }

    private void End(string reason)
    {
        _ready.TrySetException(new DebugException(reason));
        Volatile.Read(ref _asked)?.TrySetException(new DebugException(reason));
    }
}
