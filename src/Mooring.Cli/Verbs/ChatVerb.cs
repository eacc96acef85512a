using System.CommandLine;
using Mooring.Chat;
using Mooring.Chat.Configuration;
using Mooring.Cli.Hosting;
using Mooring.Cli.Telemetry;
using Mooring.Kernel.Options;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring chat</c>: the chat server alone.</summary>
internal static class ChatVerb
{
    internal static Command Create()
    {
        var otlp = OtlpArguments.Create();
        var print = new Option<bool>("--print-config") { Description = "Shows every setting, its value and where it comes from, and ends." };
        var command = new Command(
            "chat",
            "Runs the chat server alone: rooms over TCP, WebSocket and REST. Settings come from the command line, CHAT_SERVER_... variables and a properties file, in this order.")
        {
            print, otlp, CreateToken(),
        };
        var arguments = ChatArguments.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            ChatConfiguration configuration;
            try
            {
                configuration = arguments.Read(parsed);
            }
            catch (ConfigurationException exception)
            {
                foreach (var line in exception.Message.Split('\n')) await Console.Error.WriteLineAsync($"mooring: {line}");
                return ExitCode.Usage;
            }
            foreach (var warning in configuration.Warnings) await Console.Error.WriteLineAsync($"mooring: {warning}");
            if (parsed.GetValue(print)) return Print(configuration);
            var options = configuration.Options;
            var host = MooringHost.Create(options.LogLevel, drainLimit: options.ShutdownGrace + options.DrainWindow, jsonLog: options.HasJsonLog);
            if (options.LogFile is { } file) host.Builder.Logging.AddProvider(new FileLog(file, options.HasJsonLog, options.LogFileBytes, TimeProvider.System));
            OtlpArguments.AddTo(host, parsed, otlp);
            ChatRole.AddTo(
                host, options, () => arguments.Read(parsed).Options, ("--socket-port", "--http-port"),
                (services, reloaded) => services.GetRequiredService<RunningLogLevel>().Level = reloaded.LogLevel);
            return await host.RunWithoutHttpAsync(cancellationToken, application => ChatRole.PrintListeners(application.Services));
        });
        return command;
    }

    private static int Print(ChatConfiguration configuration)
    {
        foreach (var setting in configuration.Settings)
            Console.WriteLine($"{setting.Key.Name} = {(setting.Key.IsSecret && setting.Value.Length > 0 ? "(hidden)" : setting.Value)}  # {setting.Source}");
        return ExitCode.Success;
    }

    private static Command CreateToken()
    {
        var name = new Argument<string>("NAME") { Description = "The client id that may be used, or * for any; for a hook room:name." };
        var role = new Option<string>("--role") { Description = "What the token opens.", DefaultValueFactory = _ => "member" }
            .AcceptOnlyFromAmong("member", "operator", "hook");
        var command = new Command("token", "Makes a token: its first line is for the client, the second for the file of auth_tokens_path.") { name, role };
        command.SetAction(parsed =>
        {
            try
            {
                var (token, line) = ChatTokens.Create(parsed.GetValue(name)!, parsed.GetValue(role)!);
                Console.WriteLine(token);
                Console.WriteLine(line);
            }
            catch (ArgumentException exception)
            {
                throw new UserErrorException(exception.Message.Split(" (Parameter", 2)[0]);
            }
        });
        return command;
    }
}
