using System.Security.Cryptography;
using System.Text;
using Mooring.Edge.Agent.Engine;
using Mooring.Edge.Agent.Upgrade;

namespace Mooring.Edge.Tests.Agent.Upgrade;

/// <summary>Which upgrades an agent obeys.</summary>
public sealed class UpgradeOrderTests
{
    private static readonly string Digest = "sha256:" + new string('a', 64);

    [Theory]
    [InlineData("v2", null, null)]
    [InlineData("v2 --privileged", null, "not a tag")]
    [InlineData("v2", "sha256:abc", "not a digest")]
    [InlineData("v2", "latest", "not a digest")]
    public void D35_WithoutKey_TagAndDigestMustBeOnes(string tag, string? digest, string? error)
    {
        var refusal = new UpgradeOrder(tag, digest, null, null).Refusal(key: null);
        if (error is null) Assert.Null(refusal);
        else Assert.Contains(error, refusal);
    }

    [Fact]
    public void D35_WithKey_OnlyWhatItsOwnerSignedIsDone()
    {
        using var owner = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = owner.ExportSubjectPublicKeyInfoPem();
        var order = new UpgradeOrder("v2", Digest, null, null);
        var signed = order with { Signature = Sign(owner, order) };
        Assert.Null(signed.Refusal(key));
        Assert.Contains("digest is missing", (signed with { AgentDigest = null }).Refusal(key));
        foreach (var wrong in new[]
        {
            order, order with { Signature = "no base64!" }, order with { Signature = Convert.ToBase64String([1, 2, 3]) }, order with { Signature = Sign(stranger, order) },
            signed with { Tag = "v3" }, signed with { AgentDigest = "sha256:" + new string('b', 64) }, signed with { MonitorDigest = Digest },
        })
            Assert.Contains("signature is missing or not good", wrong.Refusal(key));
    }

    [Fact]
    public void D35_Image_IsTheOneThatTheDigestNames_ByItsRegistryOrByItself()
    {
        Assert.True(UpgradeOrder.Matches(new ImageDetails("sha256:x", null, ["ghcr.io/x/agent@" + Digest]), Digest));
        Assert.True(UpgradeOrder.Matches(new ImageDetails(Digest, null, null), Digest));
        Assert.False(UpgradeOrder.Matches(new ImageDetails("sha256:x", null, ["ghcr.io/x/agent@sha256:y"]), Digest));
    }

    private static string Sign(ECDsa key, UpgradeOrder order) =>
        Convert.ToBase64String(key.SignData(Encoding.UTF8.GetBytes(order.SignedText), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
}
