using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Engine;

namespace Mooring.Edge.Agent.Upgrade;

/// <summary>An upgrade as a hub orders it.</summary>
/// <param name="Tag">Tag of the images.</param>
/// <param name="AgentDigest">What the agent's image must be, <c>sha256:...</c>; null is whatever the tag names.</param>
/// <param name="MonitorDigest">The same of the network monitor's.</param>
/// <param name="Signature">ECDSA with SHA-256 over <see cref="SignedText"/>, DER, in base64.</param>
internal sealed partial record UpgradeOrder(string Tag, string? AgentDigest, string? MonitorDigest, string? Signature)
{
    /// <summary>What is signed: four lines, each with its end; an empty one for a digest that is not given.</summary>
    public string SignedText => $"mooring-upgrade\n{Tag}\n{AgentDigest}\n{MonitorDigest}\n";

    /// <summary>Why nothing is upgraded so.</summary>
    /// <param name="key">The key by which the owner of the machine wants upgrades signed, PEM; null is none.</param>
    /// <returns>One line; null when the order is good.</returns>
    public string? Refusal(string? key)
    {
        if (!SpecificationCheck.IsTag(Tag)) return $"version {Tag} is not a tag of an image";
        foreach (var digest in new[] { AgentDigest, MonitorDigest })
            if (digest is not null && !DigestPattern().IsMatch(digest)) return $"{digest} is not a digest such as sha256: and 64 hexadecimal digits";
        if (key is null) return null;
        // A signed tag alone would say nothing: who pushes to the registry decides what it names.
        if (AgentDigest is null) return "the policy of this machine wants upgrades signed: digest is missing";
        return IsSigned(key) ? null : "the policy of this machine wants upgrades signed, and the signature is missing or not good";
    }

    /// <summary>Whether an image is the one that a digest names: by its registry, or by itself where it came without one.</summary>
    public static bool Matches(ImageDetails image, string digest) =>
        image.Id == digest || image.RepoDigests?.Any(known => known.EndsWith("@" + digest, StringComparison.Ordinal)) == true;

    private bool IsSigned(string key)
    {
        if (Signature is null) return false;
        try
        {
            using var signer = ECDsa.Create();
            signer.ImportFromPem(key);
            return signer.VerifyData(Encoding.UTF8.GetBytes(SignedText), Convert.FromBase64String(Signature), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"\Asha256:[0-9a-f]{64}\z")]
    private static partial Regex DigestPattern();
}
