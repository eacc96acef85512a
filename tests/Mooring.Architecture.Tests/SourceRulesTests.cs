namespace Mooring.Architecture.Tests;

public sealed class SourceRulesTests
{
    [Fact]
    public void CodecAndProtocolFolders_ArePure()
    {
        var pure = SourceTree.Files.Where(SourceRules.MustBePure).ToList();
        Assert.NotEmpty(pure);
        Assert.Empty(pure.SelectMany(SourceRules.Impurities));
    }

    [Fact]
    public void EveryQueue_HasABound() => Assert.Empty(SourceTree.Files.SelectMany(SourceRules.UnboundedQueues));

    [Fact]
    public void EventIds_AreUniqueAndInTheRangeOfTheirProject() => Assert.Empty(SourceRules.EventIdViolations(SourceTree.Files));

    [Theory]
    [InlineData("src/Mooring.Mqtt/Codec/A.cs", true)]
    [InlineData("src/Mooring.Fleet/Protocol/Deep/A.cs", true)]
    [InlineData("src/Mooring.Edge/Hub/Protocol/A.cs", true)]
    [InlineData("src/Mooring.Mqtt/Client/A.cs", false)]
    [InlineData("src/Mooring.Mqtt/CodecUser/A.cs", false)]
    public void Folder_DecidesWhetherAFileMustBePure(string path, bool expected) =>
        Assert.Equal(expected, SourceRules.MustBePure(new SourceFile(path, "")));

    [Theory]
    [InlineData("async Task ReadAsync()", "async", "Task")]
    [InlineData("ValueTask<int> Read()", "ValueTask")]
    [InlineData("private readonly Socket _socket;", "Socket")]
    [InlineData("void Log(ILogger<Codec> log)", "ILogger")]
    [InlineData("TimeProvider clock", "TimeProvider")]
    [InlineData("var t = DateTime.MinValue;", "DateTime")]
    [InlineData("using System.Net.Sockets;", "System.Net.Sockets")]
    [InlineData("Random.Shared.Next()", "Random")]
    public void ImpureCode_IsNamed(string code, params string[] words) =>
        Assert.Equal(words.Select(word => $"a.cs: {word}"), SourceRules.Impurities(new SourceFile("a.cs", SourceTree.CodeOnly(code))));

    [Theory]
    [InlineData("// a Task reads the Socket")]
    [InlineData("/* Task\n Socket */ int x;")]
    [InlineData("var s = \"Task \\\" Socket\";")]
    [InlineData("var s = @\"Task \"\" Socket\";")]
    [InlineData("var s = \"\"\"Task \" Socket\"\"\";")]
    [InlineData("int TaskCount, subTask, ISocketName;")]
    public void WordsAboutCode_AreNoCode(string code) =>
        Assert.Empty(SourceRules.Impurities(new SourceFile("a.cs", SourceTree.CodeOnly(code))));

    [Theory]
    [InlineData("var quote = '\"'; Task x;")]
    [InlineData("var slash = \"//\"; Task x;")]
    [InlineData("var escaped = '\\''; Task x;")]
    [InlineData("var address = \"mqtt://host\"; /* \" */ Task x;")]
    public void CodeAfterAQuotedMark_IsStillJudged(string code) =>
        Assert.Equal(["a.cs: Task"], SourceRules.Impurities(new SourceFile("a.cs", SourceTree.CodeOnly(code))));

    [Theory]
    [InlineData("Channel.CreateUnbounded<int>()", "CreateUnbounded")]
    [InlineData("Channel.CreateUnboundedPrioritized<int>()", "CreateUnboundedPrioritized")]
    [InlineData("new UnboundedChannelOptions()", "UnboundedChannelOptions")]
    [InlineData("new BlockingCollection<List<int>>()", "new BlockingCollection<List<int>>()")]
    [InlineData("new PipeOptions(pauseWriterThreshold: 0)", "pauseWriterThreshold: 0")]
    public void UnboundedQueue_IsNamed(string code, string found) =>
        Assert.Equal([$"a.cs: {found}"], SourceRules.UnboundedQueues(new SourceFile("a.cs", code)));

    [Theory]
    [InlineData("Channel.CreateBounded<int>(16)")]
    [InlineData("new BlockingCollection<int>(16)")]
    [InlineData("new PipeOptions(pauseWriterThreshold: 0x10000)")]
    public void BoundedQueue_IsNoViolation(string code) => Assert.Empty(SourceRules.UnboundedQueues(new SourceFile("a.cs", code)));

    [Theory]
    [InlineData("[LoggerMessage(1000, LogLevel.Error, )] [LoggerMessage(EventId = 1_001, Level = LogLevel.Error)]", null)]
    [InlineData("[LoggerMessage(1000, LogLevel.Error, )] [LoggerMessage(1000, LogLevel.Error, )]",
        "src/Mooring.Kernel/A.cs: event id 1000 is taken by src/Mooring.Kernel/A.cs")]
    [InlineData("[LoggerMessage(\n2000, LogLevel.Error, )]", "src/Mooring.Kernel/A.cs: event id 2000 is outside 1000-1999")]
    [InlineData("[LoggerMessage(Level = LogLevel.Error)]", "src/Mooring.Kernel/A.cs: a LoggerMessage without a literal event id")]
    public void EventIds_AreJudged(string code, string? violation) =>
        Assert.Equal(violation is null ? [] : [violation], SourceRules.EventIdViolations([new SourceFile("src/Mooring.Kernel/A.cs", code)]));

    [Fact]
    public void ProjectWithoutARange_IsNamed() =>
        Assert.Equal(
            ["src/Mooring.Stranger/A.cs: Mooring.Stranger has no range of event ids"],
            SourceRules.EventIdViolations([new SourceFile("src/Mooring.Stranger/A.cs", "[LoggerMessage(1000, LogLevel.Error, )]")]));
}
