using System.CommandLine;
using System.Data.Common;
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
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync($"mooring: {error.Message}");
            }

            await Console.Error.WriteLineAsync($"Try 'mooring {VerbPath(parsed)}--help'.");
            return ExitCode.Usage;
        }

        // The host handles the signals; a second one forces the exit (see MooringHost).
        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        try
        {
            return await parsed.InvokeAsync(invocation);
        }
        catch (Exception exception) when (exception is ClientSettingsException or AgentStartException)
        {
            await Console.Error.WriteLineAsync($"mooring: {exception.Message}");
            return ExitCode.Settings;
        }
        catch (Exception exception) when (Explain(exception) is { } lines)
        {
            foreach (var line in lines)
            {
                await Console.Error.WriteLineAsync($"mooring: {line}");
            }

            return ExitCode.Failure;
        }
    }

    /// <summary>The lines that tell a user what to change, or null when the fault is Mooring's own.</summary>
    internal static IReadOnlyList<string>? Explain(Exception exception) => exception switch
    {
        ConfigurationException configuration => [.. configuration.Message.Split('\n')],
        UserErrorException user => user.Lines,
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

    private static string VerbPath(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (var result = parsed.CommandResult; result is not null; result = result.Parent as System.CommandLine.Parsing.CommandResult)
        {
            if (result.Command is not RootCommand)
            {
                names.Push(result.Command.Name);
            }
        }

        return names.Count == 0 ? "" : string.Join(' ', names) + " ";
    }
}
