using System.CommandLine;
using System.Globalization;
using System.Net;
using Mooring.Cli.Hosting;
using Mooring.Cli.Telemetry;
using Mooring.Fleet;
using Mooring.Fleet.Api;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Logging;
using Mooring.Kernel.Tls;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring fleet</c>: the external server alone, with the command line and the configuration of the original.</summary>
internal sealed class FleetVerb
{
    private readonly Argument<string> _file = new("CONFIG") { Description = "JSON configuration: the original's, of either shape." };
    private readonly Option<bool> _tls = new("--tls") { Description = "Use TLS, with the files of the next three options." };
    private readonly Option<bool> _noTls = new("--no-tls") { Description = "Use no TLS, whatever the configuration says." };
    private readonly Option<string?> _authorities = File("--ca", "PEM file of the authorities that the broker's certificate comes from.");
    private readonly Option<string?> _certificate = File("--cert", "PEM file of our own certificate.");
    private readonly Option<string?> _key = File("--key", "PEM file of its key.");
    private readonly Option<bool> _check = new("--check") { Description = "Read and check everything, print what is wrong, and end." };
    private readonly Option<int?> _httpPort = SharedOptions.OptionalPort("--http-port", "health, metrics and the operator API on loopback");
    private readonly Option<Uri?> _otlp = OtlpArguments.Create();

    internal static Command Create()
    {
        var verb = new FleetVerb();
        var command = new Command("fleet", "Runs the external server of the Fleet Protocol alone.")
        {
            verb._file, verb._tls, verb._noTls, verb._authorities, verb._certificate, verb._key, verb._check, verb._httpPort, verb._otlp,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(verb._tls) && result.GetValue(verb._noTls)) result.AddError("--tls and --no-tls exclude each other");
        });
        command.SetAction((parsed, cancellationToken) =>
            parsed.GetValue(verb._check) ? Task.FromResult(verb.Check(parsed)) : verb.RunAsync(parsed, cancellationToken));
        return command;
    }

    private int Check(ParseResult parsed)
    {
        var (options, warnings) = Read(parsed);
        foreach (var warning in warnings) Console.Error.WriteLine($"mooring: warning: {warning}");
        if (FleetHosting.CheckModules(options) is { Count: > 0 } faults) throw new UserErrorException(faults);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{parsed.GetValue(_file)}: good: company '{options.Company}', {options.Cars.Count} car(s), broker {options.Broker}{(options.Broker.Tls is null ? "" : " with TLS")}"));
        return ExitCode.Success;
    }

    private Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var configuration = Read(parsed);
        FleetLogging.EnsureWritable(configuration.Options.Logging);
        var host = MooringHost.Create(LogLevel.Information, consoleLog: false);
        host.Builder.Logging.AddFleetLogging(configuration.Options.Logging);
        OtlpArguments.AddTo(host, parsed, _otlp);
        FleetRole.AddTo(host, configuration, () => Read(parsed), FleetClients.Create);
        if (parsed.GetValue(_httpPort) is not { } port) return host.RunWithoutHttpAsync(cancellationToken);
        OpenApiDescription.AddTo(host);
        host.ListenHttp(new Listener("health, metrics and operator API", new IPEndPoint(IPAddress.Loopback, port), "--http-port"));
        return host.RunAsync(
            application =>
            {
                application.UseOriginCheck();
                application.MapHealth();
                application.MapDescription();
                application.MapFleetApi();
            },
            _ => { }, cancellationToken);
    }

    private FleetConfiguration Read(ParseResult parsed)
    {
        var options = FleetOptionsFile.Load(parsed.GetValue(_file)!, out var warnings);
        if (parsed.GetValue(_tls)) options = options with { Broker = options.Broker with { Tls = FilesOf(parsed, options.Broker.Tls) } };
        else if (parsed.GetValue(_noTls)) options = options with { Broker = options.Broker with { Tls = null } };
        if (options.Broker.Tls is { } files) warnings = [.. warnings, .. PemFiles.Load(files, TimeProvider.System.GetUtcNow()).Warnings];
        return new FleetConfiguration(options, warnings);
    }

    /// <summary>As the original, TLS by flag wants all three files; those that the configuration names count.</summary>
    private TlsFiles FilesOf(ParseResult parsed, TlsFiles? configured)
    {
        var files = new TlsFiles
        {
            Authorities = parsed.GetValue(_authorities) ?? configured?.Authorities,
            Certificate = parsed.GetValue(_certificate) ?? configured?.Certificate,
            Key = parsed.GetValue(_key) ?? configured?.Key,
        };
        var all = new (Option Flag, string? Path)[] { (_authorities, files.Authorities), (_certificate, files.Certificate), (_key, files.Key) };
        var missing = all.Where(file => file.Path is null).Select(file => file.Flag.Name).ToList();
        if (missing.Count > 0) throw new UserErrorException($"--tls needs {string.Join(" and ", missing)} too");
        var absent = all.Where(file => !System.IO.File.Exists(file.Path)).Select(file => $"{file.Flag.Name}: {file.Path}: no such file").ToList();
        return absent.Count == 0 ? files : throw new UserErrorException(absent);
    }

    private static Option<string?> File(string name, string description) => new(name) { Description = description, HelpName = "FILE" };
}
