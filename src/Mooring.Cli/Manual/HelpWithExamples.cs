using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Mooring.Cli.Manual;

/// <summary>What <c>--help</c> prints: the parser's own list, and the examples of the verb's manual.</summary>
internal sealed class HelpWithExamples : SynchronousCommandLineAction
{
    private readonly HelpAction _standard = new();

    /// <summary>Who asks what is wanted has not given it yet.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = _standard.Invoke(parseResult);
        if (!ManualBook.Read().TryGetValue(VerbPath.Of(parseResult.CommandResult.Command), out var manual)) return code;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in manual.Examples) output.WriteLine($"  {example.Term}\n      {example.Text}");
        output.WriteLine($"\n'mooring help {VerbPath.Of(parseResult.CommandResult.Command)}' says more.");
        return code;
    }
}
