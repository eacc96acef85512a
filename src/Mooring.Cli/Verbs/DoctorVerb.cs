using System.CommandLine;
using System.Text.Json;
using Mooring.Cli.Configuration;
using Mooring.Cli.Data;
using Mooring.Cli.Doctor;
using Mooring.Cli.Hosting;
using Mooring.Edge.Agent.Engine;
using Mooring.Kernel.Tls;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring doctor</c>: looks at everything that <c>mooring up</c> stands on, and says what to do.</summary>
internal static class DoctorVerb
{
    private const string ConfigurationCheck = "configuration";

    internal static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Prints JSON." };
        var command = new Command("doctor", "Checks configuration, data folder, ports, certificates, engine, broker and clock; takes the options of 'mooring up'.");
        var arguments = UpArguments.AddTo(command);
        command.Options.Add(json);
        command.SetAction(async (typed, cancellationToken) =>
        {
            var findings = await ExamineAsync(arguments, typed, cancellationToken);
            var report = new DoctorReport(findings.Count(f => f.Level == FindingLevel.Fail), findings.Count(f => f.Level == FindingLevel.Warn), findings);
            if (typed.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(report, DoctorJson.Default.DoctorReport));
            else foreach (var finding in findings) Console.WriteLine(finding);
            return report.Failed == 0 ? ExitCode.Success : ExitCode.Failure;
        });
        return command;
    }

    private static async Task<IReadOnlyList<Finding>> ExamineAsync(UpArguments arguments, ParseResult typed, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        EffectiveConfiguration configuration;
        UpOptions options;
        try
        {
            configuration = arguments.Reader().Read(typed);
            findings.AddRange(FolderCheck.Run(arguments.DataFolder(configuration.Parsed)));
            options = arguments.Read(configuration.Parsed);
        }
        catch (UserErrorException exception)
        {
            findings.InsertRange(0, exception.Lines.Select(line => Finding.Bad(ConfigurationCheck, line, "'mooring config schema' tells what is allowed")));
            return findings;
        }
        findings.InsertRange(0, OfConfiguration(configuration));
        var (now, isRunning) = (TimeProvider.System.GetUtcNow(), DataFolder.IsInUse(options.DataFolder));
        findings.AddRange(PortCheck.Run(Listeners(arguments, configuration.Parsed, options), isRunning));
        findings.AddRange(CertificateCheck.Run(Certificates(options), now));
        findings.Add(await EngineAsync(cancellationToken));
        if (!isRunning) findings.Add(Finding.Good("broker", "Mooring does not run; './mooring up' starts it"));
        else
        {
            if (options.Broker is { } broker) findings.Add(await RunningCheck.BrokerAsync(broker, cancellationToken));
            findings.Add(await RunningCheck.HealthAsync(options.Http, cancellationToken));
        }
        findings.AddRange(ClockCheck.Run(options.DataFolder, now));
        return findings;
    }

    private static IEnumerable<Finding> OfConfiguration(EffectiveConfiguration configuration)
    {
        yield return Finding.Good(ConfigurationCheck, configuration.File is { } file ? $"{file} is good" : $"there is no {ConfigurationFile.Name}; the defaults are good");
        foreach (var warning in configuration.Warnings) yield return Finding.Odd(ConfigurationCheck, warning, "correct or remove it");
    }

    private static async Task<Finding> EngineAsync(CancellationToken cancellationToken)
    {
        var socket = ContainerEngine.UsualSocket;
        return await ContainerEngine.VersionAsync(socket, cancellationToken) is { } version
            ? Finding.Good("engine", $"a container engine answers at {socket} (API {version})")
            : Finding.Odd("engine", $"no container engine answers at {socket}", "needed only where an edge agent runs: start one, such as Docker");
    }

    private static IEnumerable<Listener> Listeners(UpArguments arguments, ParseResult parsed, UpOptions options)
    {
        yield return new Listener("operators", options.Http.EndPoint, arguments.Http.PortOption);
        foreach (var listener in options.Broker?.Listeners ?? []) yield return new Listener("MQTT", listener.EndPoint, arguments.Broker.PortOption(parsed, listener));
        if (options.Chat is { } chat)
        {
            foreach (var socket in chat.Sockets) yield return new Listener("chat lines", socket, UpChat.PortOptions.Lines);
            yield return new Listener("chat HTTP", chat.Http, UpChat.PortOptions.Http);
        }
        if (options.Tunnel is { } tunnel)
        {
            yield return new Listener("tunnel control and API", tunnel.Control, arguments.Tunnel.PortOption);
            yield return new Listener("tunnel visitors", tunnel.Http, arguments.Tunnel.HttpPortOption);
        }
        if (options.Hub is { } hub) yield return new Listener("hub for agents", hub.Agents, arguments.Hub.PortOption);
    }

    private static List<(string What, TlsFiles Files)> Certificates(UpOptions options)
    {
        var all = new List<(string What, TlsFiles Files)>();
        if (options.Http.Tls is { } http) all.Add(("operators", http));
        foreach (var listener in options.Broker?.Listeners ?? [])
            if (listener.Tls is { Certificate: not null } mqtt) all.Add(("MQTT", mqtt));
        if (options.Chat?.TlsFiles is { } chat) all.Add(("chat", chat));
        if (options.Tunnel?.HttpsTls is { } tunnel) all.Add(("tunnel", tunnel));
        // The hub's own authority issues for as long as it is good itself.
        if (options.Hub is { } hub && Path.Combine(hub.Folder, "ca", "ca.pem") is var authority && File.Exists(authority))
            all.Add(("hub's authority", new TlsFiles { Certificate = authority, Key = Path.ChangeExtension(authority, ".key") }));
        return all;
    }
}
