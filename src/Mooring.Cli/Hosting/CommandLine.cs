using System.CommandLine;
using System.CommandLine.Parsing;
using System.Data.Common;
using Mooring.Cli.Manual;
using Mooring.Edge.Agent;
using Mooring.Fleet;
using Mooring.Kernel.Options;
using Mooring.Tunnel.Client.Configuration;
using Mooring.Kernel.Tls;
using Mooring.Storage;

namespace Mooring.Cli.Hosting;

/// <summary>The edge between the process and its verbs: what a user sees of an error is decided here, once.</summary>
internal static class CommandLine
{
    internal static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var line in Problems(parsed)) await Console.Error.WriteLineAsync($"mooring: {line}");
            await Console.Error.WriteLineAsync($"Try 'mooring {$"{VerbPath.Of(parsed.CommandResult.Command)} --help".TrimStart()}'.");
            return ExitCode.Usage;
        }

        // The host handles the signals; a second one forces the exit (see MooringHost).
        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        try
        {
            return await parsed.InvokeAsync(invocation);
        }
        catch (Exception exception) when (Explain(exception) is { } lines)
        {
            foreach (var line in lines) await Console.Error.WriteLineAsync($"mooring: {line}");
            return CodeOf(exception);
        }
    }

    // Apart from the method above, so that what only a fault needs is loaded when there is one.
    private static int CodeOf(Exception exception) => exception switch
    {
        UserErrorException user => user.Code,
        ClientSettingsException or AgentStartException => ExitCode.Settings,
        _ => ExitCode.Failure,
    };

    /// <summary>The lines that tell a user what to change, or null when the fault is Mooring's own.</summary>
    internal static IReadOnlyList<string>? Explain(Exception exception) => exception switch
    {
        ConfigurationException configuration => [.. configuration.Message.Split('\n')],
        UserErrorException user => user.Lines,
        ClientSettingsException or AgentStartException => [exception.Message],
        FleetStartException fleet => fleet.Failures,
        TlsMaterialException => [exception.Message],
        FileNotFoundException { FileName: { } name } => [$"{name}: no such file"],
        DirectoryNotFoundException => [exception.Message],
        StorageException => [exception.Message],
        DbException => [$"the database: {exception.Message.ReplaceLineEndings(" ")}"],
        UnauthorizedAccessException => [exception.Message],
        IOException => [exception.Message],
        OperationCanceledException => [],
        _ => null,
    };

    /// <summary>What is wrong with a command line; a word that nothing understands with the nearest that is understood there.</summary>
    private static IEnumerable<string> Problems(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var unknown = parsed.UnmatchedTokens;
        if (unknown.Count > 0 && command.Subcommands.Count > 0 && VerbPath.Find(command, [unknown[0]]).Problem is { } problem && !unknown[0].StartsWith('-'))
        {
            yield return problem;
            yield break;
        }
        var options = VerbPath.Lineage(command).SelectMany(each => each == command ? each.Options : each.Options.Where(option => option.Recursive))
            .Where(option => !option.Hidden).Select(option => option.Name).ToList();
        foreach (var error in parsed.Errors)
        {
            var word = unknown.FirstOrDefault(token => error.Message.EndsWith($"'{token}'.", StringComparison.Ordinal));
            var near = word is null || !word.StartsWith('-') ? null : NearestName.Find(word.Split('=', ':')[0], options);
            yield return near is null ? Plain(error) : $"{error.Message.TrimEnd('.')}; did you mean {near}?";
        }
    }

    /// <summary>What the parser says in the form of our own errors: which option or argument, what was given, what is allowed.</summary>
    private static string Plain(ParseError error)
    {
        const string OneOf = "Must be one of:";
        var (name, given) = error.SymbolResult switch
        {
            OptionResult option => (option.Option.Name, option.Tokens),
            ArgumentResult { Parent: OptionResult option } => (option.Option.Name, option.Tokens),
            ArgumentResult argument => (argument.Argument.Name, argument.Tokens),
            CommandResult command => (command.Command.Arguments.FirstOrDefault(each => each.Arity.MinimumNumberOfValues > 0)?.Name, []),
            _ => (null, []),
        };
        if (name is null) return error.Message;
        if (error.Message.StartsWith("Required argument missing", StringComparison.Ordinal)) return $"{name}: a value is needed";
        if (given.Count == 0) return error.Message;
        if (error.Message.Contains(" as expected type 'System.", StringComparison.Ordinal)) return $"{name}: '{given[^1].Value}' is not allowed: a number";
        return error.Message.Split(OneOf) is [_, var allowed]
            ? $"{name}: '{given[^1].Value}' is not allowed: one of {string.Join(", ", allowed.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(each => each.Trim('\'')))}"
            : error.Message;
    }
}
