using System.Text.Json;
using System.Text.Json.Serialization;
using Mooring.Kernel.Files;

namespace Mooring.Edge.Agent.Upgrade;

/// <summary>A file that says when an agent was last let in by a hub: by it an upgrade is judged.</summary>
internal static class SessionMark
{
    /// <summary>Notes that a hub let the agent in.</summary>
    public static void Write(string dataFolder, string version, DateTimeOffset at) =>
        AtomicFile.Write(PathIn(dataFolder), JsonSerializer.SerializeToUtf8Bytes(new Session(version, at), UpgradeJson.Default.Session));

    /// <summary>When that was; null when it never was, or cannot be read.</summary>
    public static DateTimeOffset? Read(string dataFolder)
    {
        try
        {
            return File.Exists(PathIn(dataFolder)) ? JsonSerializer.Deserialize(File.ReadAllBytes(PathIn(dataFolder)), UpgradeJson.Default.Session)?.At : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string PathIn(string dataFolder) => Path.Combine(dataFolder, "data", "session.json");

    internal sealed record Session(string AgentVersion, DateTimeOffset At);
}

/// <summary>What became of an upgrade: left by the upgrader for the agent that runs afterwards, old or new.</summary>
/// <param name="Image">The image it was about.</param>
/// <param name="Error">Why the old agent was put back; null when the new one runs.</param>
internal sealed record UpgradeResult(string Image, string? Error)
{
    /// <summary>Leaves it.</summary>
    public void Write(string dataFolder) => AtomicFile.Write(PathIn(dataFolder), JsonSerializer.SerializeToUtf8Bytes(this, UpgradeJson.Default.UpgradeResult));

    /// <summary>Takes it, which is done once.</summary>
    /// <returns>The result; null when there is none yet.</returns>
    public static UpgradeResult? Take(string dataFolder)
    {
        if (!File.Exists(PathIn(dataFolder))) return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(PathIn(dataFolder)), UpgradeJson.Default.UpgradeResult);
        }
        catch (JsonException)
        {
            return new UpgradeResult("", "what the upgrader left cannot be read");
        }
        finally
        {
            File.Delete(PathIn(dataFolder));
        }
    }

    private static string PathIn(string dataFolder) => Path.Combine(dataFolder, "data", "upgrade.json");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SessionMark.Session))]
[JsonSerializable(typeof(UpgradeResult))]
internal sealed partial class UpgradeJson : JsonSerializerContext;
