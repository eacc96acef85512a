using System.Xml.Linq;

namespace Mooring.Architecture.Tests;

/// <summary>Which project of the product may reference which: a slice stands on the tiers below it and on no other slice.</summary>
internal static class ReferenceGraph
{
    private static readonly string[] Foundation = ["Mooring.Kernel", "Mooring.Storage", "Mooring.Mqtt", "Mooring.SocketIO"];

    private static readonly string[] Slices = ["Mooring.Fleet", "Mooring.Edge", "Mooring.Tunnel", "Mooring.Chat", "Mooring.Web"];

    /// <summary>A new project adds its line here; until then it fails the test.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Mooring.Kernel"] = [],
        ["Mooring.Storage"] = ["Mooring.Kernel"],
        ["Mooring.Mqtt"] = ["Mooring.Kernel"],
        ["Mooring.SocketIO"] = ["Mooring.Kernel"],
        ["Mooring.Fleet"] = Foundation,
        ["Mooring.Edge"] = Foundation,
        ["Mooring.Tunnel"] = Foundation,
        ["Mooring.Chat"] = Foundation,
        ["Mooring.Web"] = Foundation,
        ["Mooring.Bench"] = [.. Foundation, .. Slices],
        ["Mooring.Cli"] = [.. Foundation, .. Slices, "Mooring.Bench"],
    };

    /// <summary>Names of the projects that a project file references, without folder and ending.</summary>
    public static IReadOnlyList<string> References(string projectXml) =>
    [
        .. from element in XDocument.Parse(projectXml).Descendants()
           where element.Name.LocalName == "ProjectReference"
           let include = element.Attribute("Include")?.Value ?? ""
           select Path.GetFileNameWithoutExtension(include.Replace('\\', '/')),
    ];

    /// <summary>One line for each reference that the tiers do not allow.</summary>
    public static IEnumerable<string> Violations(string project, IReadOnlyList<string> references)
    {
        if (!Allowed.TryGetValue(project, out var allowed))
        {
            yield return $"{project} has no tier: add it to {nameof(ReferenceGraph)}";
            yield break;
        }

        foreach (var reference in references.Except(allowed, StringComparer.Ordinal))
        {
            var may = allowed.Length == 0 ? "nothing" : string.Join(", ", allowed);
            yield return $"{project} references {reference}; it may reference {may}";
        }
    }
}
