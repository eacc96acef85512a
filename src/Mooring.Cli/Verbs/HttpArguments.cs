using System.CommandLine;
using System.Net;
using Mooring.Cli.Access;
using Mooring.Cli.Hosting;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;

namespace Mooring.Cli.Verbs;

/// <summary>Options of the operators' listener: console, API, health and metrics.</summary>
internal sealed class HttpArguments
{
    private readonly Option<int> _port = SharedOptions.Port("--http-port", 7700, "health, metrics and the operator API");

    private readonly Option<string> _bind = new("--http-bind")
    {
        Description = "Address of the operators' listener: an IP address, localhost or *. Beyond loopback operators log in.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    private readonly Option<string?> _certificate = new("--http-cert") { Description = "PEM file of the operators' listener's certificate and its intermediates.", HelpName = "FILE" };
    private readonly Option<string?> _key = new("--http-key") { Description = "PEM file of its key, when that is not in the certificate's file.", HelpName = "FILE" };
    private readonly Option<bool> _plain = new("--http-plain") { Description = "Lets operators log in without TLS beyond loopback, for example behind a proxy that ends TLS." };
    private readonly Option<bool> _login = new("--http-login") { Description = "Operators log in on loopback too." };

    private readonly Option<string[]> _hosts = new("--http-host")
    {
        Description = "Name by which browsers reach the operators' listener; may be given again. Its addresses and localhost are known anyway.",
        HelpName = "NAME",
    };

    /// <summary>What changes the port, in the user's words.</summary>
    internal string PortOption => _port.Name;

    internal static HttpArguments AddTo(Command command)
    {
        var arguments = new HttpArguments();
        foreach (var option in new Option[]
        {
            arguments._port, arguments._bind, arguments._certificate, arguments._key, arguments._plain, arguments._login, arguments._hosts,
        })
            command.Options.Add(option);
        return arguments;
    }

    /// <summary>Reads and checks the options, with the files that they name.</summary>
    internal AccessOptions Read(ParseResult parsed)
    {
        var (certificate, key) = (parsed.GetValue(_certificate), parsed.GetValue(_key));
        var options = new AccessOptions
        {
            EndPoint = new IPEndPoint(MooringHost.ParseAddress(_bind.Name, parsed.GetValue(_bind)!), parsed.GetValue(_port)),
            Tls = certificate is null && key is null ? null : new TlsFiles { Certificate = certificate, Key = key },
            AllowsPlain = parsed.GetValue(_plain),
            AsksOnLoopback = parsed.GetValue(_login),
            Names = parsed.GetValue(_hosts) ?? [],
        };
        var errors = new OptionsErrors();
        options.Validate(errors);
        errors.ThrowIfAny("");
        return options;
    }
}
