using System.CommandLine;
using System.Net;
using Mooring.Cli.Hosting;
using Mooring.Edge.Hub;

namespace Mooring.Cli.Verbs;

/// <summary>Options of the hub, alone or inside <c>mooring up</c>.</summary>
internal sealed class HubArguments
{
    private readonly Option<int> _port;
    private readonly Option<string> _bind;
    private readonly Option<string>? _data;
    private readonly Option<string?> _database;
    private readonly Option<bool> _noSelfEnrolment;
    private readonly Option<string[]> _names = new("--hub-name")
    {
        Description = "Name or address by which agents reach the hub; may be given again. It stands in the hub's certificate.",
        HelpName = "NAME",
    };

    private HubArguments(bool isAlone)
    {
        var prefix = isAlone ? "--" : "--hub-";
        _port = SharedOptions.Port(prefix + "port", 3001, "the hub for agents, over mutual TLS");
        _bind = SharedOptions.Bind(prefix + "bind");
        _database = new Option<string?>(prefix + "database")
        {
            Description = "SQLite file or PostgreSQL connection string; without it hub/hub.db in the data folder.",
            HelpName = "DATABASE",
        };
        _noSelfEnrolment = new Option<bool>(prefix + "no-self-enrollment") { Description = "Machines may not ask for a certificate themselves." };
        if (!isAlone) return;
        _data = SharedOptions.Data();
        foreach (var shared in new Option[] { _data, _database, _names }) shared.Recursive = true;
    }

    internal static HubArguments AddTo(Command command, bool isAlone)
    {
        var arguments = new HubArguments(isAlone);
        foreach (var option in new Option?[] { arguments._bind, arguments._port, arguments._names, arguments._data, arguments._database, arguments._noSelfEnrolment })
            if (option is not null) command.Options.Add(option);
        return arguments;
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="dataFolder">Folder of everything, when the command has an option of its own for it.</param>
    internal HubOptions Read(ParseResult parsed, string? dataFolder = null)
    {
        var address = MooringHost.ParseAddress(_bind.Name, parsed.GetValue(_bind) ?? "127.0.0.1");
        var names = parsed.GetValue(_names) ?? [];
        return new HubOptions
        {
            Agents = new IPEndPoint(address, parsed.GetValue(_port)),
            Folder = Path.Combine(dataFolder ?? DataFolder(parsed), "hub"),
            Database = parsed.GetValue(_database),
            Names = IPAddress.Any.Equals(address) || IPAddress.IsLoopback(address) ? names : [address.ToString(), .. names],
            AllowsSelfEnrolment = !parsed.GetValue(_noSelfEnrolment),
        };
    }

    /// <summary>Folder of everything, when the hub is alone.</summary>
    internal string DataFolder(ParseResult parsed) => parsed.GetValue(_data!) ?? "mooring-data";

    /// <summary>What changes the port, in the user's words.</summary>
    internal string PortOption => _port.Name;
}
