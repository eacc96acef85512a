using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Kernel.Options;

namespace Mooring.Edge.Agent.Policy;

/// <summary>
/// What the owner of the machine lets a hub do here, whatever the hub says. A list that is not given allows everything; one that is given
/// allows what it names, where <c>*</c> at the end of an entry stands for any ending.
/// </summary>
internal sealed record AgentPolicy
{
    /// <summary>Topics that are answered.</summary>
    public IReadOnlyList<string>? Topics { get; init; }

    /// <summary>Versions of the runtime, which are tags of its image.</summary>
    public IReadOnlyList<string>? RuntimeVersions { get; init; }

    /// <summary>Interfaces of the machine on which devices may have a place.</summary>
    public IReadOnlyList<string>? ParentInterfaces { get; init; }

    /// <summary>Interfaces that may be given away as a whole.</summary>
    public IReadOnlyList<string>? DedicatedInterfaces { get; init; }

    /// <summary>Ports of runtimes that may be called.</summary>
    public IReadOnlyList<int>? Ports { get; init; }

    /// <summary>Paths of runtimes that may be called, without a slash at the beginning.</summary>
    public IReadOnlyList<string>? Paths { get; init; }

    /// <summary>Public key, ECDSA in PEM, by which upgrades must be signed.</summary>
    public string? UpgradeKey { get; init; }

    /// <summary>Everything is allowed.</summary>
    public static AgentPolicy Open { get; } = new();

    /// <summary>Reads a policy.</summary>
    /// <param name="path">The file; one that is not there allows everything, unless it must be there.</param>
    /// <param name="mustExist">Whether somebody named the file.</param>
    /// <exception cref="ConfigurationException">it cannot be read: nothing is allowed by mistake</exception>
    public static AgentPolicy Load(string path, bool mustExist)
    {
        if (!mustExist && !File.Exists(path)) return Open;
        var errors = new OptionsErrors();
        var policy = Open;
        try
        {
            policy = JsonSerializer.Deserialize(File.ReadAllBytes(path), PolicyJson.Default.AgentPolicy) ?? Open;
            if (policy.UpgradeKey is { } key) CheckKey(key);
            foreach (var port in policy.Ports ?? []) errors.RequireInRange("ports", port, 1, 65_535);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            errors.Add("policy", e.Message);
        }
        errors.ThrowIfAny(path);
        return policy;
    }

    /// <summary>Whether a topic is answered.</summary>
    public bool AllowsTopic(string topic) => Allows(Topics, topic);

    /// <summary>Why a device must not be made or changed so.</summary>
    /// <returns>One line; null when it may.</returns>
    public string? Refusal(DeviceSpecification wanted)
    {
        if (!Allows(RuntimeVersions, wanted.Version)) return Say($"runtime version {wanted.Version}");
        if (wanted.Vnics.FirstOrDefault(vnic => !Allows(ParentInterfaces, vnic.ParentInterface)) is { } vnic) return Say($"a place on {vnic.ParentInterface}");
        return wanted.DedicatedInterface is { } nic && !Allows(DedicatedInterfaces, nic) ? Say($"giving {nic} to a device") : null;
    }

    /// <summary>Why a device must not be changed so.</summary>
    /// <returns>One line; null when it may.</returns>
    public string? Refusal(DeviceChange change)
    {
        if (change.Version is { } version && !Allows(RuntimeVersions, version)) return Say($"runtime version {version}");
        return change.Vnics?.FirstOrDefault(vnic => !Allows(ParentInterfaces, vnic.ParentInterface)) is { } vnic ? Say($"a place on {vnic.ParentInterface}") : null;
    }

    /// <summary>Why a runtime must not be called so.</summary>
    /// <returns>One line; null when it may.</returns>
    public string? Refusal(RuntimeCall call)
    {
        if (Ports?.Contains(call.Port) == false) return Say($"port {call.Port}");
        return RefusalOfPath(call.Api.Split('?')[0]);
    }

    /// <summary>Why a path of a runtime must not be called.</summary>
    /// <returns>One line; null when it may.</returns>
    public string? RefusalOfPath(string path) => Allows(Paths, path) ? null : Say($"the path {path}");

    private static void CheckKey(string key)
    {
        using var signer = ECDsa.Create();
        signer.ImportFromPem(key);
    }

    private static string Say(string what) => $"the policy of this machine does not allow {what}";

    private static bool Allows(IReadOnlyList<string>? allowed, string value) => allowed is null || allowed.Any(entry =>
        entry.EndsWith('*') ? value.StartsWith(entry[..^1], StringComparison.Ordinal) : value == entry);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true)]
[JsonSerializable(typeof(AgentPolicy))]
internal sealed partial class PolicyJson : JsonSerializerContext;
