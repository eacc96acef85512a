using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.State;

namespace Mooring.Edge.Agent.RuntimeCalls;

/// <summary>
/// The certificates that runtimes are known by: the first that a container shows is its own from then on. A runtime signs its own, so that
/// there is nobody else to ask.
/// </summary>
/// <param name="file">Where they are kept, by device.</param>
/// <param name="containerOf">The id of a device's container; null when it has none.</param>
/// <param name="logger">Told of other certificates.</param>
internal sealed partial class RuntimePins(
    StateFile<RuntimePinRecord> file, Func<string, CancellationToken, Task<string?>> containerOf, ILogger<RuntimePins> logger)
{
    private readonly Lock _gate = new();

    /// <summary>What the next connection to a device is let in by.</summary>
    /// <exception cref="DeviceException">the device has no container</exception>
    public async Task<RuntimePin> ExpectAsync(string device, CancellationToken cancellationToken)
    {
        var container = await containerOf(device, cancellationToken).ConfigureAwait(false) ?? throw new DeviceException($"{device} has no container");
        return new RuntimePin(certificate => Check(device, container, certificate));
    }

    /// <returns>Why the certificate is refused; null when it is not.</returns>
    private string? Check(string device, string container, X509Certificate? certificate)
    {
        if (certificate is null) return $"{device} showed no certificate";
        var shown = Convert.ToHexStringLower(SHA256.HashData(certificate.GetRawCertData()));
        lock (_gate)
        {
            if (file.Find(device) is not { } known || known.ContainerId != container)
            {
                // On disk before anything is sent: when it cannot be kept, the connection is not made.
                file.Set(device, new RuntimePinRecord(container, shown));
                return null;
            }
            if (string.Equals(known.Fingerprint, shown, StringComparison.OrdinalIgnoreCase)) return null;
            LogChanged(logger, device, known.Fingerprint, shown);
        }
        return $"the certificate of {device} has changed though its container has not, and nothing was sent to it; to accept another, delete the device and create it again, or give it another runtime version: a new container is known by its own certificate";
    }

    [LoggerMessage(7150, LogLevel.Warning, "the runtime of {Device} was known by the certificate {Known} and shows {Shown}: nothing was sent to it")]
    private static partial void LogChanged(ILogger logger, string device, string known, string shown);
}

/// <summary>Looks at the certificate of one connection to a runtime.</summary>
/// <param name="check">Why a certificate is refused; null when it is not.</param>
internal sealed class RuntimePin(Func<X509Certificate?, string?> check)
{
    /// <summary>Why the connection was refused; null while it was not.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Whether the certificate is the one that the runtime is known by, or the first; a <see cref="RemoteCertificateValidationCallback"/>.</summary>
    public bool Accepts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => (Refusal = check(certificate)) is null;
}
