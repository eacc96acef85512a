using Mooring.Cli.Access;
using Mooring.Cli.Data;
using Mooring.Cli.Hosting;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Data;

/// <summary>Archives, whole and spoilt.</summary>
public sealed class BackupTests : MooringTest
{
    private readonly string _root = Directory.CreateTempSubdirectory("mooring-backup-").FullName;
    private readonly TestClock _clock = new();

    private string Folder => Path.Combine(_root, "data");

    private string Archive => Path.Combine(_root, "backup.tar.gz");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_root, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task FillAsync()
    {
        await using (var store = await AccessStore.OpenAsync(Folder, AccessLimits.Default, _clock, TestTimeout))
            await store.AddAsync("anna", OperatorRole.Admin, "hash", TestTimeout);
        Directory.CreateDirectory(Path.Combine(Folder, "hub/ca"));
        await File.WriteAllTextAsync(Path.Combine(Folder, "hub/ca/ca.key"), "secret", TestTimeout);
        File.SetUnixFileMode(Path.Combine(Folder, "hub/ca/ca.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.CreateDirectory(Path.Combine(Folder, "mqtt"));
        await File.WriteAllBytesAsync(Path.Combine(Folder, "mqtt/0000000001.journal"), new byte[100_000], TestTimeout);
        await File.WriteAllTextAsync(Path.Combine(Folder, "mqtt/lock"), "", TestTimeout);
        await File.WriteAllTextAsync(Path.Combine(Folder, "empty"), "", TestTimeout);
    }

    private Task<BackupManifest> BackupAsync() => new BackupWriter(Folder, _clock).WriteAsync(Archive, TestTimeout);

    private Task<(BackupManifest Manifest, string? Former)> RestoreAsync(string archive, string folder, bool replaces = false) =>
        new BackupReader(folder, _clock).ReadAsync(archive, replaces, TestTimeout);

    [Fact]
    public async Task Everything_ComesBack_WithItsPermissions()
    {
        await FillAsync();
        var manifest = await BackupAsync();
        Assert.Equal(["access.db", "empty", "hub/ca/ca.key", "mqtt/0000000001.journal"], manifest.Files.Select(file => file.Path).Order(StringComparer.Ordinal));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Archive));
        Assert.Equal(["backup.tar.gz", "data"], Directory.GetFileSystemEntries(_root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var other = Path.Combine(_root, "other");
        Assert.Null((await RestoreAsync(Archive, other)).Former);
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(other, "hub/ca/ca.key"), TestTimeout));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(other, "hub/ca/ca.key")));
        await using var store = await AccessStore.OpenAsync(other, AccessLimits.Default, _clock, TestTimeout);
        Assert.Equal("anna", Assert.Single(await store.AccountsAsync(TestTimeout)).Name);
    }

    [Fact]
    public async Task FolderWithContent_IsKept_UnlessToBeReplaced_AndThenPutAside()
    {
        await FillAsync();
        await BackupAsync();
        await File.WriteAllTextAsync(Path.Combine(Folder, "later"), "x", TestTimeout);
        var refusal = await Assert.ThrowsAsync<UserErrorException>(() => RestoreAsync(Archive, Folder));
        Assert.Contains("is not empty", refusal.Message, StringComparison.Ordinal);
        var (_, former) = await RestoreAsync(Archive, Folder, replaces: true);
        Assert.True(File.Exists(Path.Combine(former!, "later")));
        Assert.False(File.Exists(Path.Combine(Folder, "later")));
        using (DataFolder.Take(Folder))
        {
            var inUse = await Assert.ThrowsAsync<UserErrorException>(() => RestoreAsync(Archive, Folder, replaces: true));
            Assert.Contains("is in use", inUse.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task CutOffOrChangedArchive_IsRefused_AndChangesNothing()
    {
        await FillAsync();
        await BackupAsync();
        var whole = await File.ReadAllBytesAsync(Archive, TestTimeout);
        var (spoilt, target) = (Path.Combine(_root, "spoilt.tar.gz"), Path.Combine(_root, "target"));
        var random = new Random(7);
        var unharmed = 0;
        for (var i = 0; i < 400; i++)
        {
            byte[] bytes = i < 200 ? whole[..(whole.Length * i / 200)] : [.. whole];
            if (i >= 200) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            await File.WriteAllBytesAsync(spoilt, bytes, TestTimeout);
            try
            {
                await RestoreAsync(spoilt, target);
                // A bit that nobody reads, such as an owner or a time in a header; every file has its checksum.
                Assert.True(i >= 200, $"an archive cut off after {bytes.Length} of {whole.Length} bytes was taken");
                unharmed++;
                Directory.Delete(target, recursive: true);
            }
            catch (UserErrorException exception)
            {
                Assert.Single(exception.Lines);
                Assert.DoesNotContain('\n', exception.Message);
            }
            Assert.Equal(["backup.tar.gz", "data", "spoilt.tar.gz"], Directory.GetFileSystemEntries(_root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        }
        Assert.InRange(unharmed, 0, 80);
    }

    [Theory]
    [InlineData("a/../../b", false)]
    [InlineData("/etc/passwd", false)]
    [InlineData("a//b", false)]
    [InlineData("./a", false)]
    [InlineData("a\\b", false)]
    [InlineData("", false)]
    [InlineData("a/b.c", true)]
    public void PathsInAnArchive_StayInTheFolder(string path, bool isGood) => Assert.Equal(isGood, BackupManifest.IsPath(path));

    [Fact]
    public async Task MissingFolderOrFile_IsALine()
    {
        Assert.Contains("there is no data folder", (await Assert.ThrowsAsync<UserErrorException>(BackupAsync)).Message, StringComparison.Ordinal);
        Assert.Contains("no such file", (await Assert.ThrowsAsync<UserErrorException>(() => RestoreAsync(Archive, Folder))).Message, StringComparison.Ordinal);
    }
}
