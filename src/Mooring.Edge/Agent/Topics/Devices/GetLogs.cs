using System.Text;
using System.Text.Json.Nodes;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Devices;

/// <summary>
/// The last lines that a device wrote. With <c>follow</c> what it goes on to write comes as events <c>device_log</c>, until the time that
/// was asked for is over.
/// </summary>
internal sealed class GetLogs(AgentState state, EngineClient engine, IHubOutbox outbox, AgentWork work, TimeProvider time) : ITopic
{
    /// <summary>Most lines in an answer.</summary>
    internal const int MaxLines = 5_000;

    /// <summary>Most characters of an answer; the newest are kept.</summary>
    internal const int MaxCharacters = 1_000_000;

    /// <summary>Devices that are followed at a time: each holds a stream of the engine.</summary>
    internal const int MaxFollowed = 8;

    private const int UsualLines = 200;
    private const double LongestFollow = 3600;

    private int _followed;

    public string Name => "get_logs";

    public Contract Contract { get; } = Contract.DeviceRequest
        .Optional("tail", ContractType.Number)
        .Optional("follow", ContractType.Boolean)
        .Optional("follow_seconds", ContractType.Number);

    public async Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken)
    {
        var device = request.DeviceId;
        if (state.Devices.Find(device) is null) return Answers.UnknownDevice(device);
        var lines = (int)Math.Clamp(request.Number("tail") ?? UsualLines, 0, MaxLines);
        var (text, decoding) = (new StringBuilder(), new LogText());
        await foreach (var frame in engine.LogsAsync(device, lines, follow: false, cancellationToken).ConfigureAwait(false))
            text.Append(decoding.Of(frame));
        var isCut = text.Length > MaxCharacters;
        if (isCut) text.Remove(0, text.Length - MaxCharacters);
        var answer = Answers.Success();
        answer["device_id"] = device;
        answer["log"] = text.ToString();
        answer["truncated"] = isCut;
        if (!request.Flag("follow", absent: false)) return answer;
        var seconds = Math.Clamp(request.Number("follow_seconds") ?? LongestFollow, 1, LongestFollow);
        if (Interlocked.Increment(ref _followed) > MaxFollowed)
        {
            Interlocked.Decrement(ref _followed);
            return Answers.Error($"the logs of {MaxFollowed} devices are followed already", "too_many");
        }
        work.Start($"following {device}", stop => FollowAsync(device, TimeSpan.FromSeconds(seconds), stop));
        return answer;
    }

    private async Task FollowAsync(string device, TimeSpan length, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(length, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var decoding = new LogText();
        try
        {
            await foreach (var frame in engine.LogsAsync(device, tail: 0, follow: true, linked.Token).ConfigureAwait(false))
                outbox.Emit("device_log", new JsonObject
                {
                    ["device_id"] = device, ["stream"] = frame.IsError ? "stderr" : "stdout", ["text"] = decoding.Of(frame),
                });
        }
        catch (Exception e) when (e is EngineException or OperationCanceledException)
        {
            // The time is over, or the container is gone: said by the last event.
        }
        finally
        {
            Interlocked.Decrement(ref _followed);
        }
        outbox.Emit("device_log", new JsonObject { ["device_id"] = device, ["ended"] = true });
    }

    /// <summary>Text of both streams. The engine cuts long lines where it likes, also in the middle of a letter.</summary>
    private sealed class LogText
    {
        private readonly Decoder _output = Encoding.UTF8.GetDecoder();
        private readonly Decoder _errors = Encoding.UTF8.GetDecoder();

        public string Of(LogFrame frame)
        {
            var decoder = frame.IsError ? _errors : _output;
            var bytes = frame.Text.Span;
            var letters = new char[decoder.GetCharCount(bytes, flush: false)];
            return new string(letters, 0, decoder.GetChars(bytes, letters, flush: false));
        }
    }
}
