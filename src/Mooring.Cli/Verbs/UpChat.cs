using System.CommandLine;
using System.Net;
using Mooring.Chat;
using Mooring.Chat.Configuration;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Verbs;

/// <summary>Chat in <c>mooring up</c>: both listeners on loopback, history in the data folder.</summary>
internal sealed class UpChat
{
    private readonly Option<int> _lines = SharedOptions.Port("--chat-port", 10010, "the chat's line protocol");
    private readonly Option<int> _http = SharedOptions.Port("--chat-http-port", 8000, "the chat's page, REST and WebSocket");

    internal static UpChat AddTo(Command command)
    {
        var chat = new UpChat();
        command.Options.Add(chat._lines);
        command.Options.Add(chat._http);
        return chat;
    }

    internal void AddTo(MooringHost host, ParseResult parsed, string dataFolder)
    {
        var options = new ChatOptions
        {
            Sockets = [new IPEndPoint(IPAddress.Loopback, parsed.GetValue(_lines))],
            Http = new IPEndPoint(IPAddress.Loopback, parsed.GetValue(_http)),
            HistoryStore = Path.Combine(dataFolder, "chat.db"),
        };
        ChatRole.AddTo(host, options, () => options, (_lines.Name, _http.Name));
    }

    internal static void Describe(ChatServer chat, AddressTable table) => ChatRole.Describe(chat, table);
}
