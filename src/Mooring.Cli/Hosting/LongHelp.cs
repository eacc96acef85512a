using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Mooring.Cli.Hosting;

/// <summary>Help of one verb with more to read than the line that the list of verbs has room for.</summary>
internal sealed class LongHelp : SynchronousCommandLineAction
{
    private readonly HelpAction _standard = new();
    private readonly string _text;

    private LongHelp(string text) => _text = text;

    internal static void AddTo(Command command, string text) => command.Options.Add(new HelpOption { Action = new LongHelp(text) });

    public override int Invoke(ParseResult parseResult)
    {
        var code = _standard.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output.WriteLine(_text);
        return code;
    }
}
