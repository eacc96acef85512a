using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Mooring.Cli.Hosting;
using Mooring.Storage;

namespace Mooring.Cli.Data;

/// <summary>
/// Writes the data folder into an archive, also while it is used. Every database is copied as one moment of it, a journal as a prefix of what
/// was written, which is what a start after a crash reads too. The archive appears under its name when it is whole.
/// </summary>
internal sealed class BackupWriter(string folder, TimeProvider time)
{
    private const string JournalExtension = ".journal";
    private const int JournalAttemptsMax = 20;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <returns>What was written.</returns>
    internal async Task<BackupManifest> WriteAsync(string archive, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder)) throw new UserErrorException($"there is no data folder '{folder}'");
        if (DataFolder.FormatProblem(folder) is { } problem) throw new UserErrorException(problem);
        archive = Path.GetFullPath(archive);
        var mark = $".{Path.GetFileName(archive)}.{RandomNumberGenerator.GetHexString(12)}.mooring-tmp";
        var target = Path.GetDirectoryName(archive)!;
        if (!Directory.Exists(target)) throw new UserErrorException($"{target}: no such folder");
        var (staging, unfinished) = (Path.Combine(target, mark + ".d"), Path.Combine(target, mark));
        try
        {
            Directory.CreateDirectory(staging, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await CopyAsync(staging, archive, cancellationToken);
            var manifest = await DescribeAsync(staging, cancellationToken);
            await PackAsync(staging, manifest, unfinished, cancellationToken);
            File.Move(unfinished, archive, overwrite: true);
            return manifest;
        }
        finally
        {
            if (Directory.Exists(staging)) Directory.Delete(staging, recursive: true);
            File.Delete(unfinished);
        }
    }

    private async Task CopyAsync(string staging, string archive, CancellationToken cancellationToken)
    {
        var journals = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var full = Path.GetFullPath(path);
            if (IsPassing(path) || full == archive || full.StartsWith(staging, StringComparison.Ordinal)) continue;
            if (path.EndsWith(JournalExtension, StringComparison.Ordinal)) journals.Add(Path.GetDirectoryName(path)!);
            else if (await SqliteCopy.IsDatabaseAsync(path, cancellationToken)) await CopyDatabaseAsync(path, Place(staging, path), cancellationToken);
            else await CopyFileAsync(path, Place(staging, path), cancellationToken);
        }
        foreach (var journal in journals) await CopyJournalAsync(journal, staging, cancellationToken);
    }

    /// <summary>What belongs to a running process and not to the data.</summary>
    private static bool IsPassing(string path) => Path.GetFileName(path) is var name
        && (name is "lock" or DataFolder.LockFile or DataFolder.ProcessFile
            || name.EndsWith(DataFolder.RoleLockSuffix, StringComparison.Ordinal)
            || name.EndsWith("-wal", StringComparison.Ordinal) || name.EndsWith("-shm", StringComparison.Ordinal)
            || name.Contains(".mooring-tmp", StringComparison.Ordinal) || name.EndsWith(".sock", StringComparison.Ordinal));

    private string Place(string staging, string path)
    {
        var place = Path.Combine(staging, Path.GetRelativePath(folder, path));
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        return place;
    }

    private static async Task CopyDatabaseAsync(string path, string place, CancellationToken cancellationToken)
    {
        await SqliteCopy.WriteAsync(path, place, cancellationToken);
        File.SetUnixFileMode(place, File.GetUnixFileMode(path));
    }

    private static async Task<bool> CopyFileAsync(string path, string place, CancellationToken cancellationToken)
    {
        try
        {
            await using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = File.GetUnixFileMode(source.SafeFileHandle) | Private };
            await using var copy = new FileStream(place, options);
            await source.CopyToAsync(copy, cancellationToken);
            return true;
        }
        catch (FileNotFoundException)
        {
            // It was there a moment ago: a file that comes and goes is no part of the data.
            return false;
        }
    }

    /// <summary>
    /// Files of a journal are written one after the other, so copying them in their order gives a prefix. A checkpoint that deletes the
    /// oldest meanwhile has written all that lives into newer ones: then everything is copied anew.
    /// </summary>
    private async Task CopyJournalAsync(string journal, string staging, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= JournalAttemptsMax; attempt++)
        {
            var files = Directory.GetFiles(journal, "*" + JournalExtension).Order(StringComparer.Ordinal).ToList();
            var isWhole = true;
            foreach (var file in files) isWhole = isWhole && await CopyFileAsync(file, Place(staging, file), cancellationToken);
            if (isWhole && files.All(File.Exists)) return;
            foreach (var file in files) File.Delete(Place(staging, file));
        }
        throw new UserErrorException($"'{journal}' changes too fast to be copied; try again when there is less to do");
    }

    private async Task<BackupManifest> DescribeAsync(string staging, CancellationToken cancellationToken)
    {
        var files = new List<BackupFile>();
        foreach (var path in Directory.EnumerateFiles(staging, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            await using var file = File.OpenRead(path);
            var sum = Convert.ToHexString(await SHA256.HashDataAsync(file, cancellationToken));
            files.Add(new BackupFile(Path.GetRelativePath(staging, path).Replace(Path.DirectorySeparatorChar, '/'), file.Length, sum, (int)File.GetUnixFileMode(path)));
        }
        return new BackupManifest(BackupManifest.CurrentFormat, DataFolder.Format, time.GetUtcNow(), files);
    }

    private static async Task PackAsync(string staging, BackupManifest manifest, string path, CancellationToken cancellationToken)
    {
        // It contains keys and hashes: for its owner only, from the first moment.
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private });
        await using (var zip = new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true))
        await using (var tar = new TarWriter(zip, TarEntryFormat.Pax, leaveOpen: true))
        {
            using var text = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(manifest, BackupJson.Default.BackupManifest));
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, BackupManifest.EntryName) { DataStream = text, Mode = Private, ModificationTime = manifest.Created }, cancellationToken);
            foreach (var entry in manifest.Files) await tar.WriteEntryAsync(Path.Combine(staging, entry.Path), "data/" + entry.Path, cancellationToken);
        }
        file.Flush(flushToDisk: true);
    }
}
