using System.CommandLine;
using Mooring.Chat.Configuration;

namespace Mooring.Cli.Verbs;

/// <summary>The settings of the chat server as options of a command: one for each key.</summary>
internal sealed class ChatArguments
{
    private readonly Option<string?> _config = new("--config") { Description = "Properties file with settings.", HelpName = "FILE" };
    private readonly Option<bool> _strict = new("--strict-config")
    {
        Description = "Takes a bad value in the environment or the file for an error; otherwise it is not used.",
    };

    private readonly Dictionary<ChatKey, Option<string?>> _values = [];
    private readonly Dictionary<ChatKey, Option<bool>> _switchedOff = [];

    internal static ChatArguments AddTo(Command command)
    {
        var arguments = new ChatArguments();
        command.Options.Add(arguments._config);
        command.Options.Add(arguments._strict);
        foreach (var key in ChatKeys.All)
        {
            var option = new Option<string?>(key.Option)
            {
                Description = $"{key.Description} [{(key.Standard.Length == 0 ? "none" : key.Standard)}]",
                HelpName = key.IsFlag ? "BOOL" : key.Allowed.Contains(' ', StringComparison.Ordinal) ? "VALUE" : key.Allowed,
                Arity = key.IsFlag ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
            };
            arguments._values.Add(key, option);
            command.Options.Add(option);
            if (!key.IsFlag) continue;
            var off = new Option<bool>($"--no-{key.Option[2..]}") { Description = $"Switches {key.Name} off.", Hidden = true };
            arguments._switchedOff.Add(key, off);
            command.Options.Add(off);
        }
        return arguments;
    }

    internal ChatConfiguration Read(ParseResult parsed)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, option) in _values)
        {
            if (_switchedOff.TryGetValue(key, out var off) && parsed.GetValue(off)) values[key.Name] = "false";
            else if (parsed.GetResult(option) is { Implicit: false }) values[key.Name] = parsed.GetValue(option) ?? "true";
        }
        return ChatConfiguration.Load(values, parsed.GetValue(_config), Environment.GetEnvironmentVariable, parsed.GetValue(_strict));
    }
}
