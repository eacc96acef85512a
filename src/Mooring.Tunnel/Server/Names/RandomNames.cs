using System.Globalization;
using System.Security.Cryptography;

namespace Mooring.Tunnel.Server.Names;

/// <summary>Names that are easy to say, for tunnels that asked for none.</summary>
internal static class RandomNames
{
    private static readonly string[] s_adjectives =
    [
        "amber", "bold", "brave", "bright", "calm", "clear", "clever", "cosy", "crisp", "curly", "deep", "eager", "early", "fair", "fancy", "fast", "fine",
        "fleet", "fresh", "gentle", "glad", "golden", "grand", "green", "happy", "hardy", "honest", "jolly", "keen", "kind", "light", "lively", "lucky",
        "magical", "merry", "mild", "neat", "noble", "open", "pale", "plain", "polite", "proud", "quick", "quiet", "rapid", "ready", "round", "royal",
        "sandy", "sharp", "shiny", "silent", "silver", "smooth", "snowy", "steady", "sunny", "swift", "tidy", "vivid", "warm", "wise", "witty",
    ];

    private static readonly string[] s_nouns =
    [
        "anchor", "bay", "beacon", "boat", "bridge", "buoy", "canal", "cape", "cliff", "cloud", "coast", "coral", "cove", "crane", "creek", "current", "delta",
        "dock", "dune", "ferry", "fjord", "gale", "gull", "harbour", "haven", "heron", "island", "jetty", "kayak", "keel", "lagoon", "lake", "lantern",
        "marina", "mast", "meadow", "oar", "ocean", "otter", "pebble", "pier", "pilot", "port", "quay", "raft", "reef", "ridge", "river", "rope", "sail",
        "sand", "seal", "shell", "shore", "sky", "sound", "spray", "star", "stream", "tern", "tide", "wave", "wharf", "wind",
    ];

    public static string Next() => string.Create(
        CultureInfo.InvariantCulture, $"{Pick(s_adjectives)}-{Pick(s_nouns)}-{RandomNumberGenerator.GetInt32(1000, 10_000)}");

    private static string Pick(string[] words) => words[RandomNumberGenerator.GetInt32(words.Length)];
}
