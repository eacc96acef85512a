using System.CommandLine;
using System.CommandLine.Completions;
using Mooring.Cli.Hosting;
using Mooring.Cli.Manual;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring help</c>: a page for every verb.</summary>
internal static class HelpVerb
{
    internal static Command Create(RootCommand root)
    {
        var verb = new Argument<string[]>("VERB") { Description = "The verb, such as 'tunnel http'; without one all are listed.", HelpName = "VERB", Arity = ArgumentArity.ZeroOrMore };
        verb.CompletionSources.Add(context => Complete(root, context, verb));
        var command = new Command("help", "Prints the page of a verb: options, files, variables, exit status, examples.") { verb };
        command.SetAction(parsed =>
        {
            var (found, problem) = VerbPath.Find(root, parsed.GetValue(verb) ?? []);
            if (problem is not null)
            {
                Console.Error.WriteLine($"mooring: {problem}");
                return ExitCode.Usage;
            }
            var page = new ManualPage(parsed.InvocationConfiguration.Output, PageStyle.OfConsole());
            if (found is RootCommand) page.WriteContents(root);
            else page.Write(found!, ManualBook.Read()[VerbPath.Of(found!)]);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>The verbs below those that were typed already.</summary>
    private static IEnumerable<CompletionItem> Complete(RootCommand root, CompletionContext context, Argument<string[]> verb)
    {
        var typed = context.ParseResult.GetValue(verb) ?? [];
        if (context.WordToComplete.Length > 0 && typed.Length > 0) typed = typed[..^1];
        return VerbPath.Find(root, typed).Verb is { } command ? command.Subcommands.Where(each => !each.Hidden).Select(each => new CompletionItem(each.Name)) : [];
    }
}
