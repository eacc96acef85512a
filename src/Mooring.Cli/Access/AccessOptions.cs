using System.Globalization;
using System.Net;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;

namespace Mooring.Cli.Access;

/// <summary>Where operators come in, and whether they must say who they are.</summary>
internal sealed record AccessOptions
{
    internal required IPEndPoint EndPoint { get; init; }

    /// <summary>Certificate and key; null for plain HTTP.</summary>
    internal TlsFiles? Tls { get; init; }

    /// <summary>Whether passwords and tokens may cross a network in the clear, for example to a proxy that ends TLS.</summary>
    internal bool AllowsPlain { get; init; }

    /// <summary>Whether operators log in on loopback too.</summary>
    internal bool AsksOnLoopback { get; init; }

    /// <summary>Names by which operators reach the listener.</summary>
    internal IReadOnlyList<string> Names { get; init; } = [];

    internal AccessLimits Limits { get; init; } = AccessLimits.Default;

    internal bool IsLoopback => IPAddress.IsLoopback(EndPoint.Address);

    /// <summary>Whether everyone on this machine is let in without a question.</summary>
    internal bool IsOpen => IsLoopback && !AsksOnLoopback;

    internal string Scheme => Tls is null ? "http" : "https";

    /// <summary>An address that can be opened: 0.0.0.0 is one to listen on only.</summary>
    internal string UrlOf(IPEndPoint bound)
    {
        var isAny = IPAddress.Any.Equals(bound.Address) || IPAddress.IPv6Any.Equals(bound.Address);
        var host = Names.Count > 0 ? Names[0] : isAny ? "127.0.0.1" : null;
        return $"{Scheme}://{(host is null ? bound.ToString() : string.Create(CultureInfo.InvariantCulture, $"{host}:{bound.Port}"))}";
    }

    internal void Validate(OptionsErrors errors)
    {
        errors.Require(
            IsLoopback || Tls is not null || AllowsPlain, "--http-bind", EndPoint.Address,
            "beyond loopback operators' passwords need TLS: give --http-cert and --http-key, or --http-plain when a proxy in front ends TLS");
        foreach (var name in Names)
            errors.Require(Uri.CheckHostName(name) != UriHostNameType.Unknown, "--http-host", name, "a host name without scheme and port");
        if (Tls is null) return;
        try
        {
            PemFiles.Load(Tls, TimeProvider.System.GetUtcNow());
        }
        catch (TlsMaterialException exception)
        {
            errors.Add("--http-cert", exception.Message);
        }
    }
}
