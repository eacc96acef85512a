using System.Diagnostics;

namespace Mooring.Testing;

/// <summary>Scripts for node in <c>tests/peers</c>, which drive implementations from npm that we did not write.</summary>
public static class NodePeer
{
    /// <summary>
    /// How to start <c>tests/peers/<paramref name="script"/></c> (CommonJS) with the packages that <c>eng/install-peers</c> installed.
    /// All three streams are redirected; the caller stops the process by its id.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">the packages are not installed: <c>eng/install-peers</c> does it</exception>
    public static ProcessStartInfo Start(string script, params string[] arguments)
    {
        var packages = RepositoryRoot.Combine("artifacts", "peers", "node_modules");
        if (!Directory.Exists(packages)) throw new DirectoryNotFoundException($"{packages} is missing: run eng/install-peers");
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        // Only require() looks into NODE_PATH: a script that imports would have to lie beside the packages.
        start.Environment["NODE_PATH"] = packages;
        start.ArgumentList.Add(RepositoryRoot.Combine("tests", "peers", script));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return start;
    }
}
