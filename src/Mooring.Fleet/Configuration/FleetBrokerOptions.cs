using Mooring.Kernel.Tls;

namespace Mooring.Fleet.Configuration;

/// <summary>Where the broker is, and who we are to it.</summary>
public sealed record FleetBrokerOptions
{
    /// <summary>Name or address.</summary>
    public required string Host { get; init; }

    /// <summary>TCP port.</summary>
    public required int Port { get; init; }

    /// <summary>User name; null for none.</summary>
    public string? UserName { get; init; }

    /// <summary>Password; never logged.</summary>
    public string? Password { get; init; }

    /// <summary>Certificates; null for no TLS.</summary>
    public TlsFiles? Tls { get; init; }

    /// <summary>Host and port as people write them.</summary>
    /// <returns>For example <c>broker.example:1883</c>; the password is never part of it.</returns>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
