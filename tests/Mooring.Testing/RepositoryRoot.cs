namespace Mooring.Testing;

/// <summary>The folder of the sources, found from the test program upwards.</summary>
public static class RepositoryRoot
{
    public static string Path { get; } = Find();

    /// <summary>A path below the root.</summary>
    public static string Combine(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Mooring.slnx"))) return folder.FullName;
        throw new DirectoryNotFoundException($"no Mooring.slnx in {AppContext.BaseDirectory} nor above it");
    }
}
