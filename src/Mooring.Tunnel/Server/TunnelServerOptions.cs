using System.Net;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Ingress;

namespace Mooring.Tunnel.Server;

/// <summary>How a tunnel server runs.</summary>
public sealed record TunnelServerOptions
{
    /// <summary>Where clients connect and the REST API is. Default 127.0.0.1:6400.</summary>
    public IPEndPoint Control { get; init; } = new(IPAddress.Loopback, 6400);

    /// <summary>Certificate of the control listener; null for plain HTTP.</summary>
    public TlsFiles? ControlTls { get; init; }

    /// <summary>Where visitors come in with HTTP. Default 127.0.0.1:6480.</summary>
    public IPEndPoint Http { get; init; } = new(IPAddress.Loopback, 6480);

    /// <summary>Where visitors come in with HTTPS; null (default) for nowhere.</summary>
    public IPEndPoint? Https { get; init; }

    /// <summary>Certificate for HTTPS; a wildcard of <see cref="BaseDomain"/>.</summary>
    public TlsFiles? HttpsTls { get; init; }

    /// <summary>Names of tunnels are labels under this domain. Default localhost: browsers and curl resolve *.localhost themselves.</summary>
    public string BaseDomain { get; init; } = "localhost";

    /// <summary>Scheme and port of public addresses, when a proxy in front changes them: "https://*" or "https://*:8443". Null: as visitors come in.</summary>
    public string? PublicUrl { get; init; }

    /// <summary>First port for TCP tunnels. Default 20000.</summary>
    public int TcpPortFirst { get; init; } = 20_000;

    /// <summary>Last port for TCP tunnels. Default 20999: a thousand tunnels.</summary>
    public int TcpPortLast { get; init; } = 20_999;

    /// <summary>Address on which TCP tunnels listen; null (default) is the one of <see cref="Http"/>.</summary>
    public IPAddress? TcpAddress { get; init; }

    /// <summary>Whether anybody may register an account. Default true on loopback only.</summary>
    public bool? AllowsRegistration { get; init; }

    /// <summary>Tokens that exist from the start, for operators; their accounts have every scope.</summary>
    public IReadOnlyList<string> OperatorTokens { get; init; } = [];

    /// <summary>What an account may use unless an operator says otherwise.</summary>
    public Quota Quota { get; init; } = Quota.Default;

    /// <summary>Visitors' addresses that are let in, as CIDR; empty (default) for all.</summary>
    public IReadOnlyList<string> AllowedVisitors { get; init; } = [];

    /// <summary>Visitors' addresses that are kept out, as CIDR.</summary>
    public IReadOnlyList<string> DeniedVisitors { get; init; } = [];

    /// <summary>Proxies in front of the server whose forwarding fields (and PROXY protocol headers) are believed, as CIDR.</summary>
    public IReadOnlyList<string> TrustedProxies { get; init; } = [];

    /// <summary>
    /// Connections that trusted proxies make to the listeners of visitors begin with a PROXY protocol header, version 1 or 2; those that do not
    /// are closed. Other peers are served as they come.
    /// </summary>
    public bool ExpectsProxyProtocol { get; init; }

    /// <summary>
    /// Browsers see a page first that says whose address they are about to visit, once in a while for each tunnel; default false. Programs do not, nor
    /// visitors of tunnels that operators' tokens opened.
    /// </summary>
    public bool WarnsVisitors { get; init; }

    /// <summary>Where visitors can report a tunnel: an address of mail, or a page (http or https); null (default) for nowhere.</summary>
    public string? AbuseContact { get; init; }

    /// <summary>Name server for the challenges of custom host names; null (default) is the system's.</summary>
    public IPEndPoint? NameServer { get; init; }

    /// <summary>File for one line of JSON per request; null (default) for none.</summary>
    public string? AccessLog { get; init; }

    /// <summary>Bounds.</summary>
    public TunnelServerLimits Limits { get; init; } = new();

    /// <summary>Reports everything that is wrong.</summary>
    /// <param name="errors">Where to.</param>
    public void Validate(OptionsErrors errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        errors.Require(
            BaseDomain.Length is > 0 and <= 253 && BaseDomain.Split('.').All(label => label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-')
            && BaseDomain.AsSpan().IndexOfAnyExcept("abcdefghijklmnopqrstuvwxyz0123456789-.") < 0,
            "base-domain", BaseDomain, "a domain: labels of a-z, 0-9 and -, with dots between");
        errors.RequireInRange("tcp-ports", TcpPortFirst, 1, 65_535);
        errors.RequireInRange("tcp-ports", TcpPortLast, TcpPortFirst, 65_535);
        errors.Require(Https is null || HttpsTls is not null, "https-port", Https?.Port, "needs a certificate");
        foreach (var (key, list) in new[] { ("allow", AllowedVisitors), ("deny", DeniedVisitors), ("trusted-proxy", TrustedProxies) })
        {
            foreach (var network in list) errors.Require(IPNetwork.TryParse(network, out _), key, network, "a network such as 192.0.2.0/24");
        }
        errors.Require(!ExpectsProxyProtocol || TrustedProxies.Count > 0, "proxy-protocol", null, "needs the proxies that send it: trusted-proxy");
        if (AbuseContact is { } contact) errors.Require(ReportLink.IsContact(contact), "abuse-contact", contact, "an address of mail, or an http or https URL");
        if (PublicUrl is { } url)
            errors.Require(url.StartsWith("http://*", StringComparison.Ordinal) || url.StartsWith("https://*", StringComparison.Ordinal), "public-url", url, "http://*[:PORT] or https://*[:PORT]");
        Limits.Validate(errors);
    }
}
