using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Mooring.Cli.Hosting;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Broker.Persistence;

namespace Mooring.Cli.Verbs;

/// <summary>The options of the broker on a command line: of <c>mooring broker</c>, and of <c>mooring up</c> with the same meaning.</summary>
internal sealed class BrokerArguments
{
    private readonly Option<int> _port = SharedOptions.Port("--mqtt-port", 1883, "the plain MQTT listener");
    private readonly Option<int?> _tlsPort = SharedOptions.OptionalPort("--tls-port", "the MQTT listener with TLS (8883 when a certificate is given)");
    private readonly Option<int?> _wsPort = SharedOptions.OptionalPort("--ws-port", "an MQTT listener over WebSocket, path /mqtt");
    private readonly Option<int?> _wssPort = SharedOptions.OptionalPort("--wss-port", "an MQTT listener over secure WebSocket, path /mqtt");
    private readonly Option<string?> _certificate = File("--tls-cert", "PEM file of the server's certificate and its intermediates.");
    private readonly Option<string?> _key = File("--tls-key", "PEM file of its key, when that is not in the certificate's file.");
    private readonly Option<string?> _authorities = File("--tls-ca", "PEM file of the authorities that clients' certificates come from.");
    private readonly Option<string?> _revocations = File("--tls-crl", "PEM file of these authorities' revocation lists.");
    private readonly Option<string> _clients = OneOf("--client-certificates", "Whether TLS clients show a certificate", "none", "optional", "required");
    private readonly Option<string> _identity = OneOf("--certificate-identity", "Which name in it is the user name", "cn", "san");
    private readonly Option<string?> _users = File("--users", "File of users; 'mooring broker passwd' makes one.");
    private readonly Option<string?> _access = File("--access", "JSON file of access rules.");
    private readonly Option<bool> _inMemory = new("--in-memory") { Description = "Keeps sessions and retained messages in memory only, not in the data folder; in 'up' the history of the rooms too." };
    private readonly Option<MqttDurability> _durability = new("--durability")
    {
        Description = "What an acknowledgement survives: the end of the process, or the loss of power (slower).",
        HelpName = "process|power",
        DefaultValueFactory = _ => MqttDurability.Process,
    };
    private readonly Option<string?> _config;
    private readonly Option<string> _bind;
    private readonly Option<int> _threads;

    private BrokerArguments(string configOption, bool isAlone)
    {
        _config = File(configOption, "JSON file with all of the broker's options; it takes the place of the other ones here.");
        _bind = SharedOptions.Bind(isAlone ? "--bind" : "--mqtt-bind");
        if (isAlone) _port.Aliases.Add("--port");
        _threads = new Option<int>(isAlone ? "--io-threads" : "--mqtt-io-threads") { Description = "Threads that move bytes.", HelpName = "N", DefaultValueFactory = _ => 1 };
    }

    /// <summary>Whether a running broker takes a change of an option over: the files of users, rules and certificates are read again.</summary>
    internal bool Reloads(Option option) => option == _users || option == _access || option == _certificate || option == _key || option == _authorities
        || option == _revocations;

    private IReadOnlyList<Option> Flags =>
        [_bind, _port, _tlsPort, _wsPort, _wssPort, _certificate, _key, _authorities, _revocations, _clients, _identity, _users, _access, _threads];

    /// <summary>Adds the options to a command.</summary>
    internal static BrokerArguments AddTo(Command command, bool isAlone)
    {
        var arguments = new BrokerArguments(isAlone ? "--config" : "--mqtt-config", isAlone);
        foreach (var flag in arguments.Flags) command.Options.Add(flag);
        command.Options.Add(arguments._config);
        command.Options.Add(arguments._inMemory);
        command.Options.Add(arguments._durability);
        command.Validators.Add(arguments.CheckConfigStandsAlone);
        return arguments;
    }

    /// <summary>Reads and checks the options, with the files that they name; all that is wrong is told at once.</summary>
    /// <summary>Whether nothing is to outlive the process.</summary>
    internal bool IsInMemory(ParseResult parsed) => parsed.GetValue(_inMemory);

    /// <param name="parsed">The command line.</param>
    /// <param name="dataFolder">Where sessions, retained messages and the development authority are kept.</param>
    internal MqttBrokerOptions Read(ParseResult parsed, string dataFolder)
    {
        var errors = new OptionsErrors();
        var file = parsed.GetValue(_config);
        var options = file is null ? FromFlags(parsed) : MqttBrokerConfiguration.Load(file, errors);
        options = options with { Listeners = [.. options.Listeners.Select(listener => WithDevelopmentCertificate(listener, dataFolder))] };
        if (!IsInMemory(parsed))
        {
            options = options with
            {
                Storage = new MqttStorageOptions { Folder = Path.Combine(dataFolder, "mqtt"), Durability = parsed.GetValue(_durability) },
            };
        }
        options.Validate(errors, TimeProvider.System);
        errors.ThrowIfAny(file ?? "");
        return options;
    }

    /// <summary>Names what changes the port of a listener.</summary>
    internal string PortOption(ParseResult parsed, MqttListener listener) => parsed.GetValue(_config) is { } file
        ? $"'port' in {file}"
        : listener.Transport switch
        {
            MqttTransport.Tls => _tlsPort.Name,
            MqttTransport.WebSocket => _wsPort.Name,
            MqttTransport.SecureWebSocket => _wssPort.Name,
            _ => _port.Name,
        };

    private void CheckConfigStandsAlone(CommandResult result)
    {
        if (result.GetResult(_config) is not { Implicit: false }) return;
        foreach (var flag in Flags.Where(flag => result.GetResult(flag) is { Implicit: false }))
            result.AddError($"{flag.Name} is not allowed together with {_config.Name}: write it into the file");
    }

    private MqttBrokerOptions FromFlags(ParseResult parsed)
    {
        var address = MooringHost.ParseAddress(_bind.Name, parsed.GetValue(_bind)!);
        var (certificate, key) = (parsed.GetValue(_certificate), parsed.GetValue(_key));
        var (authorities, revocations) = (parsed.GetValue(_authorities), parsed.GetValue(_revocations));
        var secure = new MqttListener
        {
            EndPoint = new IPEndPoint(address, 0),
            Tls = certificate is null && key is null && authorities is null && revocations is null
                ? null
                : new TlsFiles { Certificate = certificate, Key = key, Authorities = authorities, Revocations = revocations },
            ClientCertificates = parsed.GetValue(_clients) switch
            {
                "required" => ClientCertificates.Required,
                "optional" => ClientCertificates.Optional,
                _ => ClientCertificates.NotAsked,
            },
            CertificateIdentity = parsed.GetValue(_identity) == "san" ? CertificateIdentity.AlternativeName : CertificateIdentity.CommonName,
        };
        var tlsPort = parsed.GetValue(_tlsPort);
        if (certificate is not null && tlsPort is null && parsed.GetValue(_wssPort) is null) tlsPort = 8883;
        var listeners = new List<MqttListener>();
        // With TLS beyond this machine, plain TCP is opened only when it was asked for.
        if (IPAddress.IsLoopback(address) || tlsPort is null || parsed.GetResult(_port) is { Implicit: false })
            listeners.Add(new IPEndPoint(address, parsed.GetValue(_port)));
        if (tlsPort is { } tls) listeners.Add(secure with { EndPoint = new IPEndPoint(address, tls), Transport = MqttTransport.Tls });
        if (parsed.GetValue(_wsPort) is { } ws)
            listeners.Add(new MqttListener { EndPoint = new IPEndPoint(address, ws), Transport = MqttTransport.WebSocket });
        if (parsed.GetValue(_wssPort) is { } wss)
            listeners.Add(secure with { EndPoint = new IPEndPoint(address, wss), Transport = MqttTransport.SecureWebSocket });
        return new MqttBrokerOptions
        {
            Listeners = listeners,
            UsersFile = parsed.GetValue(_users),
            AccessFile = parsed.GetValue(_access),
            IoThreads = parsed.GetValue(_threads),
        };
    }

    /// <summary>TLS on this machine needs no preparation: an authority of its own issues the certificate.</summary>
    private static MqttListener WithDevelopmentCertificate(MqttListener listener, string dataFolder)
    {
        var isSecure = listener.Transport is MqttTransport.Tls or MqttTransport.SecureWebSocket;
        if (!isSecure || listener.Tls?.Certificate is not null || !IPAddress.IsLoopback(listener.EndPoint.Address)) return listener;
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(dataFolder, "tls"), TimeProvider.System);
        var files = authority.Server();
        return listener with { Tls = files with { Authorities = listener.Tls?.Authorities ?? files.Authorities } };
    }

    private static Option<string?> File(string name, string description) => new(name) { Description = description, HelpName = "FILE" };

    private static Option<string> OneOf(string name, string description, params string[] allowed)
    {
        var option = new Option<string>(name)
        {
            Description = $"{description}: {string.Join(", ", allowed)}.",
            HelpName = string.Join('|', allowed),
            DefaultValueFactory = _ => allowed[0],
        };
        return option.AcceptOnlyFromAmong(allowed);
    }
}
