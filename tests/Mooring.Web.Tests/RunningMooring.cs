using Mooring.Testing;

namespace Mooring.Web.Tests;

/// <summary>The built program, with everything on ports of its own.</summary>
internal sealed class RunningMooring : IAsyncDisposable
{
    public static readonly string Program = Path.Combine(AppContext.BaseDirectory, "mooring");

    private readonly ProcessUnderTest _process;
    private readonly string _folder;

    private RunningMooring(ProcessUnderTest process, string folder) => (_process, _folder) = (process, folder);

    public required Uri Console { get; init; }

    public string Chat => Address(_process, "  chat  ");

    public string Tunnel => new Uri(Address(_process, "  tunnel  ")).Authority;

    /// <summary>Where its agents connect to.</summary>
    public Uri Hub => new(Address(_process, "  hub for agents  "));

    public string Folder => _folder;

    public static async Task<RunningMooring> StartAsync(CancellationToken cancellationToken, params string[] more)
    {
        var folder = Directory.CreateTempSubdirectory("mooring-web-").FullName;
        var process = ProcessUnderTest.Start(Program,
        [
            "up", "--data", folder, "--mqtt-port", "0", "--http-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0",
            "--tunnel-port", "0", "--tunnel-http-port", "0", .. more,
        ]);
        await process.LineAsync("Ctrl-C stops everything", cancellationToken);
        return new RunningMooring(process, folder)
        {
            Console = new Uri(Address(process, "  console ")),
        };
    }

    public async ValueTask DisposeAsync()
    {
        _process.Terminate();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Address(ProcessUnderTest process, string row) => process.Lines
        .Single(line => line.StartsWith(row, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .First(word => word.Contains("://", StringComparison.Ordinal));
}
