using System.CommandLine;
using Mooring.Cli.Hosting;
using Mooring.Edge.Logs;
using Mooring.Edge.NetMon;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring netmon</c>: the agent's sidecar, which needs the host's network and process ids.</summary>
internal static class NetMonVerb
{
    internal static Command Create()
    {
        var defaults = new NetMonOptions();
        var data = new Option<string>("--data-dir")
        {
            Description = "Folder that is shared with the agent; the socket netmon.sock lies there.",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => defaults.DataFolder,
        };
        var serial = new Option<string>("--serial-dir")
        {
            Description = "Folder with the links to serial devices.",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => defaults.SerialFolder,
        };
        var logLevel = SharedOptions.OriginalLogLevels();
        var logFormat = SharedOptions.LogFormat();
        var command = new Command("netmon", "Runs the network monitor of an edge host: the agent's hands in the host's networks.") { data, serial, logLevel, logFormat };
        command.SetAction((parsed, cancellationToken) =>
        {
            var host = DaemonHost.Create(new LogFileOptions
            {
                Folder = parsed.GetValue(data)!, Name = "netmon", Level = parsed.GetValue(logLevel), IsJson = SharedOptions.IsJson(parsed.GetValue(logFormat)),
            });
            host.Services.AddNetworkMonitor(new NetMonOptions { DataFolder = parsed.GetValue(data)!, SerialFolder = parsed.GetValue(serial)! });
            return host.RunAsync(cancellationToken);
        });
        return command;
    }
}
