using Mooring.Cli.Manual;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Help;

/// <summary><c>mooring help</c> with the real program, and examples that do no harm.</summary>
public sealed class HelpProcessTests : MooringTest
{
    /// <summary>Verbs that only look.</summary>
    private static readonly string[] Harmless =
    [
        "config show", "config check", "config schema", "user list", "hub list", "chat token", "completion", "help", "tunnel config", "tunnel version", "tunnel credits",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-help-").FullName;

    public static TheoryData<string> Examples =>
    [
        .. ManualBook.Read().Where(manual => Harmless.Contains(manual.Key)).SelectMany(manual => manual.Value.Examples).Select(example => example.Term)
            .Where(line => !line.Contains("/var/", StringComparison.Ordinal)),
        "mooring chat --print-config", "mooring tunnel --version", "mooring --version",
    ];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private ProcessUnderTest Run(string program, params IEnumerable<string> arguments) =>
        Own(ProcessUnderTest.Start(program, arguments, new Dictionary<string, string?> { ["HOME"] = _folder, ["TERM"] = "xterm", ["NO_COLOR"] = null }, _folder));

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task Example_ThatOnlyLooks_Runs(string line)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "mooring.json"), "{}", TestTimeout);
        var program = Run(UpRun.Program, ShellLine.Words(line).Skip(1));
        Assert.True(await program.ExitAsync(TestTimeout) == 0, string.Join('\n', program.Lines));
        Assert.True(program.Lines.Count > 0 || line.EndsWith(" list", StringComparison.Ordinal), "it prints nothing");
    }

    [Fact]
    public async Task HelpOption_EndsWithTheExamples()
    {
        var program = Run(UpRun.Program, "backup", "--help");
        Assert.Equal(0, await program.ExitAsync(TestTimeout));
        Assert.Contains("  mooring backup mooring.tar.gz", program.Lines);
        Assert.Equal("'mooring help backup' says more.", program.Lines[^1]);
    }

    [Fact]
    public async Task Doctor_RunsAsItsExampleSays()
    {
        var program = Run(UpRun.Program, "doctor");
        // Usual ports may be taken here; it says so, and ends.
        Assert.InRange(await program.ExitAsync(TestTimeout), 0, 1);
        Assert.Contains(program.Lines, line => line.Contains("configuration", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(new[] { "tunel" }, "mooring: there is no verb 'tunel'; did you mean 'tunnel'?")]
    [InlineData(new[] { "tunnel", "htp" }, "mooring: 'tunnel' has no verb 'htp'; did you mean 'tunnel http'?")]
    [InlineData(new[] { "broker", "xyzzy" }, "mooring: 'broker' has no verb 'xyzzy'; use one of passwd")]
    [InlineData(new[] { "doctor", "me" }, "mooring: 'doctor' has no verb 'me'")]
    public async Task UnknownVerb_IsOneLineWithTheNearest(string[] verb, string expected)
    {
        var program = Run(UpRun.Program, ["help", .. verb]);
        Assert.Equal(2, await program.ExitAsync(TestTimeout));
        Assert.Equal([expected], program.Lines);
    }

    [Theory]
    [InlineData("tunel http 80", "mooring: there is no verb 'tunel'; did you mean 'tunnel'?", "Try 'mooring --help'.")]
    [InlineData("tunnel htp 80", "mooring: 'tunnel' has no verb 'htp'; did you mean 'tunnel http'?", "Try 'mooring tunnel --help'.")]
    [InlineData("up --demmo", "mooring: Unrecognized command or argument '--demmo'; did you mean --demo?", "Try 'mooring up --help'.")]
    [InlineData("tunnel http 80 --quite", "mooring: Unrecognized command or argument '--quite'; did you mean --quiet?", "Try 'mooring tunnel http --help'.")]
    public async Task MistypedCommandLine_IsToldWithTheNearest(string line, params string[] expected)
    {
        var program = Run(UpRun.Program, line.Split(' '));
        Assert.Equal(2, await program.ExitAsync(TestTimeout));
        Assert.Equal(expected, program.Lines);
    }

    [Fact]
    public async Task AtATerminal_HeadingsAreBoldAndLinesAsWideAsIt()
    {
        // script(1) gives a terminal to what it runs.
        var terminal = Run("/usr/bin/script", "-qec", $"stty cols 60; '{UpRun.Program}' help tunnel http", "/dev/null");
        Assert.Equal(0, await terminal.ExitAsync(TestTimeout));
        var lines = terminal.Lines.Select(line => line.TrimEnd('\r')).ToList();
        Assert.Contains("\e[1mEXAMPLES\e[0m", lines);
        Assert.All(lines.Where(line => line.StartsWith("        ", StringComparison.Ordinal)), line => Assert.InRange(line.Length, 9, 60));
        var plain = Run("/usr/bin/script", "-qec", $"NO_COLOR=1 '{UpRun.Program}' help up", "/dev/null");
        Assert.Equal(0, await plain.ExitAsync(TestTimeout));
        Assert.Contains("OPTIONS", plain.Lines.Select(line => line.TrimEnd('\r')));
    }
}
