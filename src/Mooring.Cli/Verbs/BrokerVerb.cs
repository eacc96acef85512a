using System.CommandLine;
using Mooring.Cli.Data;
using Mooring.Cli.Hosting;
using Mooring.Cli.Telemetry;
using Mooring.Kernel.Hashing;
using Mooring.Mqtt.Broker;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring broker</c>: the MQTT broker alone.</summary>
internal static class BrokerVerb
{
    private const int IterationsMin = 1000;

    internal static Command Create()
    {
        var data = SharedOptions.Data();
        var logLevel = SharedOptions.LogLevels(LogLevel.Information);
        var otlp = OtlpArguments.Create();
        var command = new Command(
            "broker", "Runs the MQTT broker alone (MQTT 3.1, 3.1.1 and 5.0 over TCP, TLS and WebSocket).") { data, logLevel, otlp, CreatePasswd() };
        var arguments = BrokerArguments.AddTo(command, isAlone: true);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            MqttBrokerOptions Read() => arguments.Read(parsed, parsed.GetValue(data)!);
            var options = Read();
            using var folder = options.Storage is null ? null : DataFolder.TakeRole(parsed.GetValue(data)!, "broker");
            var host = MooringHost.Create(parsed.GetValue(logLevel));
            OtlpArguments.AddTo(host, parsed, otlp);
            BrokerRole.AddTo(host, options, Read, listener => arguments.PortOption(parsed, listener));
            return options.Listeners.All(listener => listener.Transport == MqttTransport.Tcp)
                ? await host.RunWithoutHttpAsync(cancellationToken)
                : await host.RunAsync(_ => { }, _ => { }, cancellationToken);
        });
        return command;
    }

    private static Command CreatePasswd()
    {
        var file = new Argument<string>("FILE") { Description = "The file of users; it is made when missing." };
        var user = new Argument<string>("USER") { Description = "Name of the user; for a car COMPANY/CAR." };
        var delete = new Option<bool>("--delete") { Description = "Remove the user." };
        var iterations = new Option<int>("--iterations")
        {
            Description = "Cost of the hash; 10000 are enough for long random passwords, and let many devices log in at a time.",
            HelpName = "N",
            DefaultValueFactory = _ => PasswordHash.DefaultIterations,
        };
        iterations.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < IterationsMin or > PasswordHash.IterationsMax)
                result.AddError($"--iterations: use {IterationsMin} to {PasswordHash.IterationsMax}");
        });
        var command = new Command(
            "passwd", "Sets a user's password, which is read from the terminal or from standard input.") { file, user, delete, iterations };
        command.SetAction(parsed =>
        {
            var (path, name) = (parsed.GetValue(file)!, parsed.GetValue(user)!);
            if (!parsed.GetValue(delete)) UsersFile.Set(path, name, HiddenInput.ReadNew(), parsed.GetValue(iterations));
            else if (!UsersFile.Remove(path, name)) throw new UserErrorException($"{path}: there is no user '{name}'");
        });
        return command;
    }
}
