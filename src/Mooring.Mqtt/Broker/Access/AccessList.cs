using System.Text;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>Ordered rules; the first that matches decides, and what none matches is denied.</summary>
/// <param name="rules">The rules; null lets whoever may connect do everything.</param>
internal sealed class AccessList(IReadOnlyList<AccessRule>? rules)
{
    /// <summary>Values that could act as more than one topic level, or as a placeholder, are never put into a pattern.</summary>
    private const string NotInPatterns = "+#/%";

    /// <summary>The rules that concern one client, with its names put in; null when there is nothing to check.</summary>
    internal Permissions? For(Identity identity)
    {
        if (rules is null) return null;
        var own = new List<Permission>(rules.Count);
        foreach (var rule in rules)
        {
            if (rule.User is { } user && user != identity.UserName) continue;
            var pattern = Expand(rule.Topic, identity);
            // A rule that cannot be judged never widens what a client may do: it allows nothing, or denies everything.
            if (pattern is null && rule.Allow) continue;
            own.Add(new Permission(rule.Allow, rule.Action, pattern is null ? null : Encoding.UTF8.GetBytes(pattern)));
        }
        return new Permissions([.. own]);
    }

    private static string? Expand(string pattern, Identity identity)
    {
        if (!pattern.Contains('%', StringComparison.Ordinal)) return pattern;
        // The longer names first: "%c" begins them.
        var expanded = Replace(pattern, "%company", identity.Company);
        expanded = Replace(expanded, "%car", identity.Car);
        expanded = Replace(expanded, "%c", identity.ClientId);
        return Replace(expanded, "%u", identity.UserName);
    }

    private static string? Replace(string? pattern, string placeholder, string? value)
    {
        if (pattern is null || !pattern.Contains(placeholder, StringComparison.Ordinal)) return pattern;
        return string.IsNullOrEmpty(value) || value.AsSpan().ContainsAny(NotInPatterns)
            ? null
            : pattern.Replace(placeholder, value, StringComparison.Ordinal);
    }
}
