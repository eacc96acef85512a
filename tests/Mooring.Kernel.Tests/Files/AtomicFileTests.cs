using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Mooring.Kernel.Files;

namespace Mooring.Kernel.Tests.Files;

public sealed class AtomicFileTests : IDisposable
{
    private const string VictimVariable = "MOORING_TEST_ATOMIC_FILE_VICTIM";
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-atomic-").FullName;

    private string Target => Path.Combine(_folder, "target.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void NewFile_HasTheContentAndNothingElseIsInTheFolder()
    {
        AtomicFile.Write(Target, "content äöü");
        Assert.Equal("content äöü"u8.ToArray(), File.ReadAllBytes(Target));
        Assert.Equal([Target], Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task WriteAsync_ReplacesTheContent()
    {
        await AtomicFile.WriteAsync(Target, "a long first content"u8.ToArray(), null, TestContext.Current.CancellationToken);
        await AtomicFile.WriteAsync(Target, "b"u8.ToArray(), null, TestContext.Current.CancellationToken);
        Assert.Equal("b", File.ReadAllText(Target));
    }

    [Fact]
    public void Mode_IsSetExactlyAndKeptByLaterWrites()
    {
        if (OperatingSystem.IsWindows()) return;
        AtomicFile.Write(Target, "secret", AtomicFileOptions.Private);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Target));
        AtomicFile.Write(Target, "secret 2");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Target));
        const UnixFileMode Open = (UnixFileMode)0b110_110_110;
        AtomicFile.Write(Target, "public", new AtomicFileOptions { Mode = Open });
        Assert.Equal(Open, File.GetUnixFileMode(Target));
    }

    [Fact]
    public void Backup_KeepsTheContentThatWasReplaced()
    {
        var options = new AtomicFileOptions { KeepBackup = true };
        AtomicFile.Write(Target, "1", options);
        Assert.False(File.Exists(Target + ".bak"));
        AtomicFile.Write(Target, "2", options);
        AtomicFile.Write(Target, "3", options);
        Assert.Equal(("3", "2"), (File.ReadAllText(Target), File.ReadAllText(Target + ".bak")));
    }

    [Fact]
    public void SymbolicLink_StaysALinkAndItsTargetIsReplaced()
    {
        AtomicFile.Write(Target, "1");
        var link = Path.Combine(_folder, "link.json");
        File.CreateSymbolicLink(link, Target);
        AtomicFile.Write(link, "2");
        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Equal("2", File.ReadAllText(Target));
    }

    [Fact]
    public void MissingFolder_IsAnErrorAndCreatesNothing() =>
        Assert.Throws<DirectoryNotFoundException>(() => AtomicFile.Write(Path.Combine(_folder, "no", "file"), "x"));

    [Theory]
    [InlineData("written", "old")]
    [InlineData("backup written", "old")]
    [InlineData("backup renamed", "old")]
    [InlineData("renamed", "new")]
    public void FailureAtAnyStep_LeavesOneWholeContentAndNoTemporaryFile(string step, string left)
    {
        AtomicFile.Write(Target, "old");
        Assert.Throws<IOException>(() => AtomicFile.Write(
            Target, "new"u8, new AtomicFileOptions { KeepBackup = true },
            s => { if (s == step) throw new IOException("disk pulled"); }));
        Assert.Equal(left, File.ReadAllText(Target));
        Assert.Empty(Directory.GetFiles(_folder, "*tmp*"));
    }

    [Fact]
    public void WritersAtOnce_LeaveTheContentOfOneOfThem()
    {
        Parallel.For(0, 40, i => AtomicFile.Write(Target, Content(i)));
        Assert.True(IsWhole(File.ReadAllText(Target)));
        Assert.Equal([Target], Directory.GetFiles(_folder));
    }

    [Fact]
    public void WriterKilledAtAnyMoment_LeavesAWholeFile()
    {
        for (var round = 0; round < 8; round++)
        {
            using var victim = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
            {
                Environment = { [VictimVariable] = Target }, RedirectStandardOutput = true,
            })!;
            // The victim counts its writes; it is killed in the middle of one of the next.
            for (var line = 0; line < 5 + (round * 7); line++) Assert.NotNull(victim.StandardOutput.ReadLine());
            victim.Kill();
            victim.WaitForExit();
            Assert.True(IsWhole(File.ReadAllText(Target)), $"torn in round {round}");
        }
        AtomicFile.DeleteLeftovers(Target);
        Assert.Empty(Directory.GetFiles(_folder, "*tmp*"));
    }

    [ModuleInitializer]
    internal static void BecomeTheVictim()
    {
        if (Environment.GetEnvironmentVariable(VictimVariable) is not { } path) return;
        for (var i = 0; ; i++)
        {
            AtomicFile.Write(path, Content(i), new AtomicFileOptions { KeepBackup = true });
            Console.WriteLine(i);
        }
    }

    // The length stands at both ends, so that a torn or mixed content shows.
    private static string Content(int i)
    {
        var length = 1 + (i * 7919 % 200_000);
        return string.Create(CultureInfo.InvariantCulture, $"{length}:{new string('x', length)}:{length}");
    }

    private static bool IsWhole(string text)
    {
        var parts = text.Split(':');
        return parts.Length == 3 && parts[0] == parts[2] && parts[1].Length == int.Parse(parts[0], CultureInfo.InvariantCulture);
    }
}
