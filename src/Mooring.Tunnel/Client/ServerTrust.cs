using System.Net.Security;
using Mooring.Kernel.Tls;

namespace Mooring.Tunnel.Client;

/// <summary>Which certificates of a server are accepted: those that the system's authorities, or the given ones, vouch for. Loopback is no exception.</summary>
internal sealed class ServerTrust
{
    private readonly TlsMaterial? _material;
    private readonly bool _isInsecure;

    /// <exception cref="TunnelException">The file with the authorities cannot be used.</exception>
    public ServerTrust(string? authorities, bool isInsecure, TimeProvider time)
    {
        _isInsecure = isInsecure;
        if (authorities is null) return;
        try
        {
            _material = PemFiles.Load(new TlsFiles { Authorities = authorities }, time.GetUtcNow());
        }
        catch (TlsMaterialException exception)
        {
            throw new TunnelException($"--ca: {exception.Message}", "INVALID_CA", TunnelOutcome.Invalid, exception);
        }
    }

    /// <summary>Options for one connection.</summary>
    public SslClientAuthenticationOptions Options(string host)
    {
        var options = _material?.ClientOptions(host) ?? new SslClientAuthenticationOptions { TargetHost = host };
        if (_isInsecure) options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        return options;
    }
}
