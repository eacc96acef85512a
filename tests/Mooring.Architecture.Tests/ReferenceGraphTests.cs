using Mooring.Testing;

namespace Mooring.Architecture.Tests;

public sealed class ReferenceGraphTests
{
    public static TheoryData<string> Projects => [.. ProjectFiles("src").Select(SourceTree.Relative)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_ReferencesOnlyTheTiersBelowIt(string projectFile)
    {
        var references = ReferenceGraph.References(File.ReadAllText(RepositoryRoot.Combine(projectFile)));
        Assert.Empty(ReferenceGraph.Violations(Path.GetFileNameWithoutExtension(projectFile), references));
    }

    [Fact]
    public void EveryProject_IsInTheSolution()
    {
        var solution = File.ReadAllText(RepositoryRoot.Combine("Mooring.slnx")).Replace('\\', '/');
        var projects = new[] { "src", "tests", "bench" }.SelectMany(ProjectFiles).Select(SourceTree.Relative).ToList();
        Assert.NotEmpty(projects);
        Assert.DoesNotContain(projects, project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Mooring.Kernel", "Mooring.Mqtt", "Mooring.Kernel references Mooring.Mqtt; it may reference nothing")]
    [InlineData("Mooring.Mqtt", "Mooring.Storage", "Mooring.Mqtt references Mooring.Storage; it may reference Mooring.Kernel")]
    [InlineData("Mooring.Storage", "Mooring.Mqtt", "Mooring.Storage references Mooring.Mqtt; it may reference Mooring.Kernel")]
    [InlineData("Mooring.Stranger", "Mooring.Kernel", "Mooring.Stranger has no tier: add it to ReferenceGraph")]
    public void ForbiddenReference_IsNamed(string project, string reference, string expected)
    {
        var references = ReferenceGraph.References(
            $"""<Project><ItemGroup><ProjectReference Include="..\{reference}\{reference}.csproj" /></ItemGroup></Project>""");
        Assert.Equal([expected], ReferenceGraph.Violations(project, references));
    }

    [Fact]
    public void AllowedReference_IsNoViolation() =>
        Assert.Empty(ReferenceGraph.Violations("Mooring.Fleet", ["Mooring.Kernel", "Mooring.Mqtt", "Mooring.Storage"]));

    private static IEnumerable<string> ProjectFiles(string folder) =>
        Directory.EnumerateFiles(RepositoryRoot.Combine(folder), "*.csproj", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
}
