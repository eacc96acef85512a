using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mooring.Cli.Data;

/// <summary>The first entry of an archive: what is in it, so that a restore knows when it has everything.</summary>
/// <param name="Format">Format of the archive.</param>
/// <param name="FolderFormat">Format of the data folder in it.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Files">Every file.</param>
internal sealed record BackupManifest(int Format, int FolderFormat, DateTimeOffset Created, IReadOnlyList<BackupFile> Files)
{
    internal const int CurrentFormat = 1;

    /// <summary>Name of the entry.</summary>
    internal const string EntryName = "manifest.json";

    /// <summary>Largest manifest: a hundred thousand files with long names.</summary>
    internal const int BytesMax = 32 * 1024 * 1024;

    /// <summary>Most files: a data folder has some dozens, and certificates of clients.</summary>
    internal const int FilesMax = 100_000;

    internal static bool IsPath(string path) =>
        path.Length is > 0 and <= 1024 && path[0] != '/' && !path.Contains('\0', StringComparison.Ordinal) && !path.Contains('\\', StringComparison.Ordinal)
        && path.Split('/').All(part => part is not ("" or "." or ".."));
}

/// <summary>A file of the folder.</summary>
/// <param name="Path">Where, from the folder on, with '/' between the names.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its checksum, in hexadecimal.</param>
/// <param name="Mode">Permissions on Unix.</param>
internal sealed record BackupFile(string Path, long Bytes, string Sha256, int Mode);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;
