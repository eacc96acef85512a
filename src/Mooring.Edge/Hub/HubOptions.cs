using System.Net;
using Mooring.Kernel.Options;

namespace Mooring.Edge.Hub;

/// <summary>How the hub runs: the cloud end of the agents.</summary>
public sealed record HubOptions
{
    /// <summary>Where agents connect to, over mutual TLS. Default 127.0.0.1:3001.</summary>
    public IPEndPoint Agents { get; init; } = new(IPAddress.Loopback, 3001);

    /// <summary>Folder of the certificate authority and, unless <see cref="Database"/> says otherwise, of the database.</summary>
    public string Folder { get; init; } = Path.Combine("mooring-data", "hub");

    /// <summary>A file name for SQLite or a connection string for PostgreSQL; null for <c>hub.db</c> in <see cref="Folder"/>.</summary>
    public string? Database { get; init; }

    /// <summary>Names and addresses by which agents reach the hub, beside those of this machine; they stand in the hub's certificate.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>How long an agent's certificate is good. Default one year.</summary>
    public TimeSpan CertificateLifetime { get; init; } = TimeSpan.FromDays(365);

    /// <summary>How long an agent may take for an answer. Default 30 s; <c>run_command</c> may ask for more.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time that any call may take. Default 310 s: the longest that an agent gives <c>run_command</c>, and ten seconds.</summary>
    public TimeSpan CallTimeoutMax { get; init; } = TimeSpan.FromSeconds(310);

    /// <summary>
    /// Whether a machine may ask for a certificate itself, as the agents' installer does. It gets one for a fresh id, and an operator must claim
    /// that id before anything can be done with it. Default true.
    /// </summary>
    public bool AllowsSelfEnrolment { get; init; } = true;

    /// <summary>What agents and operators may make the hub hold.</summary>
    public HubLimits Limits { get; init; } = new();

    internal string DatabaseName => Database ?? Path.Combine(Folder, "hub.db");

    /// <summary>Names for the hub's certificate, the one that agents are told first. A hub on all addresses goes by the machine's name.</summary>
    internal IReadOnlyList<string> CertificateNames =>
        Agents.Address.Equals(IPAddress.Any) || Agents.Address.Equals(IPAddress.IPv6Any) ? [.. Names, Dns.GetHostName()] : Names;

    /// <summary>Where a hub that runs leaves the address that its agents are told.</summary>
    internal string AddressFile => Path.Combine(Folder, "address");

    /// <summary>The address by which agents reach the hub.</summary>
    /// <param name="bound">Where it listens.</param>
    internal Uri AddressFor(IPEndPoint bound)
    {
        var host = CertificateNames.FirstOrDefault() ?? bound.Address.ToString();
        return new UriBuilder(Uri.UriSchemeHttps, host, bound.Port).Uri;
    }

    /// <summary>Adds everything that is wrong to a list.</summary>
    /// <param name="key">Path of these options in the configuration.</param>
    /// <param name="errors">The list.</param>
    public void Validate(string key, OptionsErrors errors)
    {
        errors.Require(Folder.Length > 0, key + ".folder", Folder, "name a folder");
        errors.RequireInRange(key + ".certificateLifetime", CertificateLifetime, TimeSpan.FromHours(1), TimeSpan.FromDays(3650));
        errors.RequireInRange(key + ".callTimeout", CallTimeout, TimeSpan.FromMilliseconds(100), CallTimeoutMax);
        errors.RequireInRange(key + ".callTimeoutMax", CallTimeoutMax, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Limits.Validate(key + ".limits", errors);
    }
}
