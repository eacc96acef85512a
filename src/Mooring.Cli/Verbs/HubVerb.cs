using System.CommandLine;
using System.Net;
using Mooring.Cli.Data;
using Mooring.Cli.Hosting;
using Mooring.Cli.Telemetry;
using Mooring.Edge.Hub;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring hub</c>: the cloud end for agents alone, and what is done to its agents and operators.</summary>
internal static class HubVerb
{
    private static readonly Argument<string> Agent = new("ID") { Description = "The agent's id: 1 to 64 letters, digits, '.', '-' and '_'." };

    internal static Command Create()
    {
        var httpPort = SharedOptions.Port("--http-port", 7700, "the operators' API, health and metrics");
        var httpBind = new Option<string>("--http-bind")
        {
            Description = "Address of the operators' API; beyond loopback it is served over TLS and asks for tokens.",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => "127.0.0.1",
        };
        var logLevel = SharedOptions.LogLevels(LogLevel.Information);
        var otlp = OtlpArguments.Create();
        var command = new Command("hub", "Runs the hub that agents connect to over mutual TLS.") { httpBind, httpPort, logLevel, otlp };
        var arguments = HubArguments.AddTo(command, isAlone: true);
        foreach (var inner in new[] { Enrol(arguments, isRenewal: false), Enrol(arguments, isRenewal: true), Revoke(arguments), List(arguments), Token(arguments) })
            command.Subcommands.Add(inner);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = arguments.Read(parsed);
            using var folder = DataFolder.TakeRole(arguments.DataFolder(parsed), "hub");
            var host = MooringHost.Create(parsed.GetValue(logLevel));
            OtlpArguments.AddTo(host, parsed, otlp);
            host.Services.AddHostedService(services => new SpareMemory(collectsGarbage: false, services.GetRequiredService<TimeProvider>()));
            var agents = EdgeHubRole.AddTo(host, options, arguments.PortOption);
            OpenApiDescription.AddTo(host);
            var address = MooringHost.ParseAddress("--http-bind", parsed.GetValue(httpBind)!);
            var listener = new Listener("operators' API", new IPEndPoint(address, parsed.GetValue(httpPort)), "--http-port");
            var http = IPAddress.IsLoopback(address) ? host.ListenHttp(listener) : host.ListenHttp(listener, endpoint => endpoint.UseHubTls(options));
            return await host.RunAsync(Map, _ => PrintTable(options, agents(), http(), IPAddress.IsLoopback(address) ? "http" : "https"), cancellationToken);
        });
        return command;
    }

    private static void Map(WebApplication application)
    {
        application.UseEdgeHub();
        application.MapHealth();
        application.MapDescription();
    }

    private static void PrintTable(HubOptions options, IPEndPoint agents, IPEndPoint http, string scheme)
    {
        var table = new AddressTable();
        EdgeHubRole.Describe(options, agents, $"{scheme}://{http}", table);
        table.Add("health", $"{scheme}://{http}/health/ready", $"curl {scheme}://{http}/health/ready");
        table.Print("The hub is up.");
    }

    private static Command Enrol(HubArguments arguments, bool isRenewal)
    {
        var name = new Option<string?>("--name") { Description = "What people call the agent.", HelpName = "NAME" };
        var folder = new Option<string?>("--out") { Description = "Folder for client.crt, client.key and ca.crt; without it ID.", HelpName = "FOLDER" };
        var command = isRenewal
            ? new Command("renew", "Issues a new certificate for an agent; the old one is good no longer.") { Agent, folder }
            : new Command("enroll", "Issues the certificate with which an agent connects.") { Agent, folder, name };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var id = parsed.GetValue(Agent)!;
            var target = parsed.GetValue(folder) ?? id;
            var notAfter = await Guard(() => HubCommands.EnrolAsync(
                arguments.Read(parsed), id, isRenewal ? null : parsed.GetValue(name), target, mustBeKnown: isRenewal, cancellationToken));
            if (notAfter is not { } end) throw new UserErrorException($"{id}: there is no such agent; 'mooring hub enroll {id}' makes one");
            Console.WriteLine($"{Path.Combine(target, "client.crt")}, client.key and ca.crt are written; good until {end:yyyy-MM-dd}.");
            var server = HubCommands.AddressForAgents(arguments.Read(parsed)).GetLeftPart(UriPartial.Authority);
            Console.WriteLine("On the agent's machine, as root and with these files:");
            Console.WriteLine("  ./mooring netmon");
            Console.WriteLine($"  ./mooring agent --server {server} --cert {Quote(target, "client.crt")} --key {Quote(target, "client.key")} --ca {Quote(target, "ca.crt")}");
        });
        return command;
    }

    /// <summary>A path as a shell reads it.</summary>
    private static string Quote(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        return path.All(c => char.IsAsciiLetterOrDigit(c) || "/._-".Contains(c, StringComparison.Ordinal))
            ? path : $"'{path.Replace("'", @"'\''", StringComparison.Ordinal)}'";
    }

    private static Command Revoke(HubArguments arguments)
    {
        var command = new Command("revoke", "Shuts an agent out, within seconds, until it is enrolled anew.") { Agent };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var id = parsed.GetValue(Agent)!;
            if (!await HubCommands.RevokeAsync(arguments.Read(parsed), id, cancellationToken))
                throw new UserErrorException($"{id}: there is no such agent, or it is revoked already");
            Console.WriteLine($"{id} is revoked.");
        });
        return command;
    }

    private static Command List(HubArguments arguments)
    {
        var command = new Command("list", "Lists the agents: id, name, state, end of the certificate, last seen.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            foreach (var line in await HubCommands.ListAsync(arguments.Read(parsed), cancellationToken)) Console.WriteLine(line);
        });
        return command;
    }

    private static Command Token(HubArguments arguments)
    {
        var name = new Argument<string>("NAME") { Description = "Whose token it is." };
        var role = new Option<HubRole>("--role")
        {
            Description = "Viewer, Operator or Admin.",
            HelpName = "ROLE",
            DefaultValueFactory = _ => HubRole.Viewer,
        };
        var agents = new Option<string[]>("--agent") { Description = "Only for this agent; may be given again. Without it for all.", HelpName = "ID" };
        var days = new Option<int?>("--days") { Description = "For so many days; without it for ever.", HelpName = "N" };
        var delete = new Option<bool>("--delete") { Description = "Make the token useless instead." };
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > 36_500) result.AddError("--days: use 1 to 36500");
        });
        var command = new Command("token", "Makes a token for an operator, and prints it this once.") { name, role, agents, days, delete };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (options, who) = (arguments.Read(parsed), parsed.GetValue(name)!);
            if (parsed.GetValue(delete))
            {
                if (!await HubCommands.RemoveTokenAsync(options, who, cancellationToken)) throw new UserErrorException($"{who}: there is no such token");
                return;
            }
            TimeSpan? lifetime = parsed.GetValue(days) is { } number ? TimeSpan.FromDays(number) : null;
            Console.WriteLine(await HubCommands.CreateTokenAsync(options, who, parsed.GetValue(role), parsed.GetValue(agents) ?? [], lifetime, cancellationToken));
        });
        return command;
    }

    private static async Task<T> Guard<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (ArgumentException e)
        {
            throw new UserErrorException(e.Message);
        }
    }
}
