using System.Runtime.Versioning;
using System.Threading.Channels;
using Mooring.Chat;
using Mooring.Kernel.Events;

namespace Mooring.Cli.Hosting.Bridges;

/// <summary>
/// Posts what happens in rooms, and answers commands there. Nobody waits for it: events come from a queue whose oldest entries give way, and
/// commands go into one that takes no more when it is full.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class ChatBridge : BackgroundService
{
    /// <summary>The name under which it speaks; clients cannot have it.</summary>
    internal const string Name = "mooring";

    private readonly ChatServer _chat;
    private readonly OperatorEvents _events;
    private readonly BridgeCommands _commands;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, EventDigest> _digests = new(StringComparer.Ordinal);
    private readonly Channel<ChatRemark> _heard = Channel.CreateBounded<ChatRemark>(
        new BoundedChannelOptions(BridgeLimits.CommandsWaitingMax) { FullMode = BoundedChannelFullMode.DropWrite });

    private volatile BridgeOptions _options;

    public ChatBridge(BridgeOptions options, ChatServer chat, OperatorEvents events, IBridgedSystems systems, TimeProvider time, ILogger<ChatBridge> logger)
    {
        _options = options;
        _chat = chat;
        _events = events;
        _commands = new BridgeCommands(systems);
        _time = time;
        _logger = logger;
        _chat.OwnName = Name;
        _chat.Heard = Hear;
    }

    /// <summary>Takes new options over; what waits under the old ones is left out.</summary>
    internal void Reload(BridgeOptions options)
    {
        lock (_gate)
        {
            _options = options;
            _digests.Clear();
        }
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        OpenRooms();
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _chat.Heard = null;
        _heard.Writer.TryComplete();
        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
    [
        GatherAsync(stoppingToken), PostAsync(stoppingToken),
        .. Enumerable.Range(0, BridgeLimits.CommandsAtOnce).Select(_ => AnswerAsync(stoppingToken)),
    ]);

    // On the path of messages: a look at the room's name, and at most one try to write.
    private void Hear(ChatRemark remark)
    {
        if (remark.Room == _options.Room) _heard.Writer.TryWrite(remark);
    }

    private async Task GatherAsync(CancellationToken stoppingToken)
    {
        await using var watching = _events.WatchAsync(stoppingToken).GetAsyncEnumerator(stoppingToken);
        // The first call begins to watch; what the systems told while they started is taken after that, so that nothing falls between.
        var next = watching.MoveNextAsync();
        var last = 0L;
        foreach (var told in _events.Recent())
        {
            Gather(told);
            last = told.Number;
        }
        while (await next)
        {
            if (watching.Current.Number > last) Gather(watching.Current);
            next = watching.MoveNextAsync();
        }
    }

    private void Gather(OperatorEvent told)
    {
        lock (_gate)
        {
            foreach (var room in _options.RoomsFor(told))
            {
                if (!_digests.TryGetValue(room, out var digest)) _digests.Add(room, digest = new EventDigest(_options.PerMinute, _time));
                digest.Add(told);
            }
        }
    }

    private async Task PostAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(BridgeLimits.Gathering, _time);
        var posts = new List<(string Room, string Text)>();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            OpenRooms();
            lock (_gate)
            {
                foreach (var (room, digest) in _digests)
                    if (digest.Take(_chat.MessageMax) is { } text) posts.Add((room, text));
            }
            foreach (var (room, text) in posts)
                if (!_chat.TrySay(room, Name, text)) LogNotPosted(room);
            posts.Clear();
        }
    }

    /// <summary>The rooms are there before anything is posted: commands come from people who entered one. An idle room may have gone.</summary>
    private void OpenRooms()
    {
        foreach (var room in _options.Rooms) _chat.TryOpenRoom(room, Name);
    }

    private async Task AnswerAsync(CancellationToken stoppingToken)
    {
        await foreach (var remark in _heard.Reader.ReadAllAsync(stoppingToken))
        {
            using var wait = new CancellationTokenSource(BridgeLimits.AnswerWait, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, wait.Token);
            try
            {
                Say(remark.Room, await _commands.AnswerAsync(remark, _options, either.Token));
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                Say(remark.Room, ["no answer came in time; the outcome is unknown"]);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // One system that fails must not take the others' answers along.
                LogNotAnswered(exception, remark.Client);
                Say(remark.Room, ["this cannot be answered now"]);
            }
        }
    }

    /// <summary>Several lines go into one message where they fit.</summary>
    private void Say(string room, IReadOnlyList<string> lines)
    {
        foreach (var text in Messages(lines, _chat.MessageMax))
        {
            if (_chat.TrySay(room, Name, text)) continue;
            LogNotPosted(room);
            return;
        }
    }

    internal static IEnumerable<string> Messages(IReadOnlyList<string> lines, int messageMax)
    {
        var text = "";
        var messages = 0;
        for (var i = 0; i < lines.Count; i++)
        {
            var line = EventDigest.Shortened(lines[i], messageMax);
            if (text.Length > 0 && text.Length + 1 + line.Length > messageMax)
            {
                yield return text;
                text = "";
                if (++messages == BridgeLimits.AnswerMessagesMax - 1 && i < lines.Count - 1)
                {
                    yield return $"and {lines.Count - i} more";
                    yield break;
                }
            }
            text = text.Length == 0 ? line : $"{text}\n{line}";
        }
        if (text.Length > 0) yield return text;
    }

    [LoggerMessage(9650, LogLevel.Debug, "the room {Room} takes no message of the bridges now")]
    private partial void LogNotPosted(string room);

    [LoggerMessage(9651, LogLevel.Warning, "a command of {Client} cannot be answered")]
    private partial void LogNotAnswered(Exception exception, string client);
}
