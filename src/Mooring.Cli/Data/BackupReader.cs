using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Data;

/// <summary>
/// Reads an archive into a folder beside the data folder, checks everything, and only then gives it the data folder's name. Whatever is wrong,
/// until then nothing has changed.
/// </summary>
internal sealed class BackupReader(string folder, TimeProvider time)
{
    private const string DataPrefix = "data/";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int AllPermissions = 0x1FF;

    private readonly string _folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    /// <param name="archive">The archive.</param>
    /// <param name="replaces">Whether a folder with something in it is put aside; otherwise it is refused.</param>
    /// <param name="cancellationToken">Gives up; nothing has changed then.</param>
    /// <returns>What was read, and the name under which the former folder is kept; null when there was none.</returns>
    internal async Task<(BackupManifest Manifest, string? Former)> ReadAsync(string archive, bool replaces, CancellationToken cancellationToken)
    {
        if (!File.Exists(archive)) throw new UserErrorException($"{archive}: no such file");
        var hasContent = Directory.Exists(_folder) && Directory.EnumerateFileSystemEntries(_folder).Any();
        if (hasContent && DataFolder.IsInUse(_folder)) throw new UserErrorException($"the data folder '{folder}' is in use; stop what uses it first");
        if (hasContent && !replaces) throw new UserErrorException($"the data folder '{folder}' is not empty; --replace puts it aside under another name");
        using var held = hasContent ? DataFolder.Take(_folder) : null;
        var fresh = $"{_folder}.restore-{RandomNumberGenerator.GetHexString(12, lowercase: true)}";
        try
        {
            Directory.CreateDirectory(fresh, OwnerOnly);
            var manifest = await UnpackAsync(archive, fresh, cancellationToken);
            return (manifest, Exchange(fresh, hasContent));
        }
        finally
        {
            if (Directory.Exists(fresh)) Directory.Delete(fresh, recursive: true);
        }
    }

    private string? Exchange(string fresh, bool hasContent)
    {
        if (!hasContent)
        {
            if (Directory.Exists(_folder)) Directory.Delete(_folder);
            Directory.Move(fresh, _folder);
            return null;
        }
        var former = $"{_folder}.before-{time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
        Directory.Move(_folder, former);
        try
        {
            Directory.Move(fresh, _folder);
        }
        catch
        {
            Directory.Move(former, _folder);
            throw;
        }
        return former;
    }

    private static async Task<BackupManifest> UnpackAsync(string archive, string fresh, CancellationToken cancellationToken)
    {
        try
        {
            await using var file = File.OpenRead(archive);
            await using var zip = new GZipStream(file, CompressionMode.Decompress);
            await using var tar = new TarReader(zip);
            var manifest = await ReadManifestAsync(tar, archive, cancellationToken);
            var left = manifest.Files.ToDictionary(entry => entry.Path, StringComparer.Ordinal);
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                var isOurs = entry.EntryType == TarEntryType.RegularFile && entry.Name.StartsWith(DataPrefix, StringComparison.Ordinal);
                if (!isOurs || !left.Remove(entry.Name[DataPrefix.Length..], out var expected)) throw Damaged(archive, $"'{entry.Name}' does not belong in it");
                if (!await UnpackFileAsync(entry, expected, fresh, cancellationToken)) throw Damaged(archive, $"'{expected.Path}' is not what was backed up");
            }
            // To the very end: the archive's own checksum stands there.
            await zip.CopyToAsync(Stream.Null, cancellationToken);
            return left.Count == 0 ? manifest : throw Damaged(archive, $"{left.Count} file(s) are missing, '{left.Keys.First()}' first");
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException or JsonException or FormatException or ArgumentException)
        {
            throw Damaged(archive, "it is cut off, or no archive at all");
        }
    }

    private static async Task<BackupManifest> ReadManifestAsync(TarReader tar, string archive, CancellationToken cancellationToken)
    {
        var entry = await tar.GetNextEntryAsync(copyData: false, cancellationToken);
        if (entry is not { Name: BackupManifest.EntryName, DataStream: { } content, Length: <= BackupManifest.BytesMax })
            throw Damaged(archive, "it was not made by 'mooring backup'");
        var manifest = await JsonSerializer.DeserializeAsync(content, BackupJson.Default.BackupManifest, cancellationToken);
        if (manifest?.Files is null) throw Damaged(archive, "it was not made by 'mooring backup'");
        if (manifest.Format > BackupManifest.CurrentFormat || manifest.FolderFormat > DataFolder.Format)
            throw new UserErrorException($"{archive}: made by a newer version of Mooring; use that one, or a newer one");
        if (manifest.Files.Count > BackupManifest.FilesMax || manifest.Files.Any(file => file is null || file.Bytes < 0 || !BackupManifest.IsPath(file.Path)))
            throw Damaged(archive, "its list of files is wrong");
        return manifest;
    }

    private static async Task<bool> UnpackFileAsync(TarEntry entry, BackupFile expected, string fresh, CancellationToken cancellationToken)
    {
        if (entry.Length != expected.Bytes) return false;
        var path = Path.Combine(fresh, expected.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, OwnerOnly);
        var mode = (UnixFileMode)(expected.Mode & AllPermissions) | UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var target = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode });
        File.SetUnixFileMode(target.SafeFileHandle, mode);
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 * 1024];
        var length = 0L;
        while (entry.DataStream is { } content && await content.ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            sum.AppendData(buffer, 0, count);
            length += count;
            await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
        }
        target.Flush(flushToDisk: true);
        return length == expected.Bytes && string.Equals(Convert.ToHexString(sum.GetHashAndReset()), expected.Sha256, StringComparison.OrdinalIgnoreCase);
    }

    private static UserErrorException Damaged(string archive, string why) => new($"{archive}: the archive cannot be used, and nothing was changed: {why}");
}
