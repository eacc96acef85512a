using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary><c>mooring completion</c>, in a real bash.</summary>
public sealed class CompletionProcessTests : MooringTest
{
    private const string Script = """
        eval "$("$1" completion bash)"
        complete -p mooring
        COMP_LINE="$1 $2"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=("$1" $2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _mooring
        printf 'reply %s\n' "${COMPREPLY[@]}"
        """;

    [Theory]
    [InlineData("fl", "reply fleet")]
    [InlineData("config sch", "reply schema")]
    [InlineData("up --mqtt-p", "reply --mqtt-port")]
    [InlineData("completion z", "reply zsh")]
    [InlineData("help tunnel ht", "reply http")]
    [InlineData("he", "reply help")]
    public async Task WordBegun_IsCompletedByBash(string line, string expected)
    {
        var bash = Own(ProcessUnderTest.Start("/bin/bash", ["--norc", "-c", Script, "bash", UpRun.Program, line]));
        Assert.Equal(0, await bash.ExitAsync(TestTimeout));
        Assert.Contains(bash.Lines, text => text.EndsWith("-F _mooring mooring", StringComparison.Ordinal));
        Assert.Contains(expected, bash.Lines);
        Assert.All(bash.Lines.Where(text => text.StartsWith("reply ", StringComparison.Ordinal)), text => Assert.StartsWith("reply " + line.Split(' ')[^1], text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("zsh", "compdef _mooring mooring")]
    [InlineData("fish", "complete -c mooring")]
    public async Task OtherShell_HasItsScript(string shell, string expected)
    {
        var program = Own(ProcessUnderTest.Start(UpRun.Program, ["completion", shell]));
        Assert.Equal(0, await program.ExitAsync(TestTimeout));
        Assert.Contains(program.Lines, text => text.StartsWith(expected, StringComparison.Ordinal));
    }
}
