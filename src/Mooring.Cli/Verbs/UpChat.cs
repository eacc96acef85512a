using System.CommandLine;
using System.Globalization;
using Mooring.Chat.Configuration;
using Mooring.Cli.Configuration;

namespace Mooring.Cli.Verbs;

/// <summary>Chat in <c>mooring up</c>: all its settings under <c>--chat-</c>, both listeners on loopback, history in the data folder.</summary>
internal sealed class UpChat
{
    private const string Prefix = "--chat-";
    private const string SocketPort = "socket_port";
    private const string HttpPort = "http_port";
    private const string History = "history_store";

    private readonly Option<string?> _config = new(Prefix + "config") { Description = "Properties file with settings, as the classic server has it.", HelpName = "FILE" };
    private readonly Dictionary<ChatKey, Option<string?>> _values = [];

    /// <summary>What changes the ports of lines and HTTP, in the user's words.</summary>
    internal static (string Lines, string Http) PortOptions => (Prefix + "port", Prefix + "http-port");

    internal static UpChat AddTo(Command command)
    {
        var chat = new UpChat();
        command.Options.Add(chat._config);
        foreach (var key in ChatKeys.All.Where(key => !key.IsOfProcess))
        {
            var option = Declare(key);
            chat._values.Add(key, option);
            command.Options.Add(option);
        }
        return chat;
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="dataFolder">Where history is kept unless a setting says otherwise; null for memory.</param>
    internal ChatOptions Read(ParseResult parsed, string? dataFolder)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, option) in _values)
            if (parsed.GetResult(option) is { Implicit: false }) values[key.Name] = parsed.GetValue(option) ?? "true";
        var chat = ChatConfiguration.Load(values, parsed.GetValue(_config), _ => null, isStrict: true, searches: false);
        return dataFolder is not null && chat.Settings.Any(setting => setting is { Key.Name: History, Source: "default" })
            ? chat.Options with { HistoryStore = Path.Combine(dataFolder, "chat.db") }
            : chat.Options;
    }

    private static ShapedOption<string?> Declare(ChatKey key)
    {
        var isHistory = key.Name == History;
        var option = new ShapedOption<string?>(Prefix + key.Option[2..], ShapeOf(key))
        {
            Description = isHistory ? key.Description + " Without it chat.db in the data folder." : key.Description,
            HelpName = key.IsFlag ? "BOOL" : key.Allowed.Contains(' ', StringComparison.Ordinal) ? "VALUE" : key.Allowed,
            Arity = key.IsFlag ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            IsSecret = key.IsSecret,
            // The two that everybody needs stand in the help; 'mooring config show' lists the rest.
            Hidden = key.Name is not (SocketPort or HttpPort),
        };
        if (key.Standard.Length > 0 && !isHistory) option.DefaultValueFactory = _ => key.Standard;
        if (key.Name == SocketPort) option.Aliases.Add(PortOptions.Lines);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var value }] && key.Problem(value) is { } rule)
                result.AddError($"{option.Name}: '{(key.IsSecret ? "" : value)}' is not allowed: {rule}");
        });
        return option;
    }

    /// <summary>A key says in words what is allowed: "1 to 100", "a, b, c" or a description.</summary>
    private static SettingShape ShapeOf(ChatKey key)
    {
        if (key.IsFlag) return new SettingShape(SettingShape.Boolean);
        if (key.Allowed.Split(" to ") is [var least, var most] && long.TryParse(least, CultureInfo.InvariantCulture, out var minimum)
            && long.TryParse(most, CultureInfo.InvariantCulture, out var maximum))
            return new SettingShape(SettingShape.Integer, minimum, maximum);
        var choices = key.Allowed.Split(", ");
        return new SettingShape(
            SettingShape.Text, Choices: choices.Length > 1 && !choices.Any(choice => choice.Contains(' ', StringComparison.Ordinal)) ? choices : null,
            IsPath: key.Allowed == "a file");
    }
}
