namespace Mooring.Cli.Hosting;

/// <summary>One thing that must work before this process should get traffic.</summary>
/// <param name="Name">Name in the answer of <c>/health/ready</c>.</param>
/// <param name="Problem">Returns null while all is well, otherwise one line that says what is not.</param>
internal sealed record Readiness(string Name, Func<string?> Problem);
