using System.CommandLine;
using Mooring.Cli.Configuration;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring config</c>: what <c>mooring up</c> would run with, and whether it could.</summary>
internal static class ConfigVerb
{
    internal static Command Create() => new("config", "Shows and checks the configuration of 'mooring up'.") { Show(), Check(), Schema() };

    private static Command Show()
    {
        var command = new Command("show", "Prints every setting with its value and where that comes from; takes the options of 'mooring up'.");
        var arguments = UpArguments.AddTo(command);
        command.SetAction(typed =>
        {
            var configuration = arguments.Reader().Read(typed);
            Warn(configuration);
            var width = configuration.Values.Max(value => value.Setting.Key.Length);
            foreach (var value in configuration.Values)
                Console.WriteLine($"{value.Setting.Key.PadRight(width)} = {value.Shown}  # {value.Source}");
        });
        return command;
    }

    private static Command Check()
    {
        var command = new Command("check", "Reads and checks everything that 'mooring up' would, prints what is wrong, and ends.");
        var arguments = UpArguments.AddTo(command);
        command.SetAction(typed =>
        {
            var configuration = arguments.Reader().Read(typed);
            Warn(configuration);
            var options = arguments.Read(configuration.Parsed);
            foreach (var warning in options.Fleet?.Warnings ?? []) Console.Error.WriteLine($"mooring: warning: {warning}");
            Console.WriteLine($"{configuration.File ?? $"no {ConfigurationFile.Name}"}: good, {configuration.Values.Count(value => value.IsSet)} setting(s) given.");
        });
        return command;
    }

    private static Command Schema()
    {
        var command = new Command("schema", $"Prints the JSON schema of {ConfigurationFile.Name} for editors (draft 2020-12).");
        // The settings hang on the options of 'up'; none of them is an option here.
        command.SetAction(_ => Console.WriteLine(ConfigurationSchema.Write(UpArguments.AddTo(new Command("up")).Table)));
        return command;
    }

    private static void Warn(EffectiveConfiguration configuration)
    {
        foreach (var warning in configuration.Warnings) Console.Error.WriteLine($"mooring: warning: {warning}");
    }
}
