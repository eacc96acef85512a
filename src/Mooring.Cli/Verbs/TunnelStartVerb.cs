using System.CommandLine;
using Mooring.Kernel.Options;
using Mooring.Tunnel.Client.Configuration;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring tunnel start [FILE]</c>: all tunnels of a file on one connection.</summary>
internal static class TunnelStartVerb
{
    internal static Command Create(TunnelSharedOptions shared)
    {
        var file = new Argument<string>("FILE") { Description = "The list of tunnels.", DefaultValueFactory = _ => "retunnel.yml" };
        file.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } path && !File.Exists(path)) result.AddError($"FILE: there is no '{path}'");
        });
        var connection = new TunnelConnectionOptions();
        var command = new Command("start", "Publishes every tunnel of a file.") { file };
        connection.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var output = shared.Output(parsed);
            TunnelFile tunnels;
            try
            {
                tunnels = TunnelFile.Read(parsed.GetValue(file)!, Environment.GetEnvironmentVariable);
            }
            catch (ConfigurationException exception)
            {
                foreach (var line in exception.Message.Split('\n')) TunnelOutput.Error(line);
                return Task.FromResult(2);
            }
            foreach (var warning in tunnels.Warnings) output.Note($"warning: {warning}");
            var target = connection.Read(parsed, tunnels.Server, tunnels.Token);
            return TunnelRunner.RunAsync(target, tunnels.Tunnels, output, cancellationToken, isList: true);
        });
        return command;
    }
}
