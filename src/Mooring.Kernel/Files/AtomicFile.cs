using System.Text;

namespace Mooring.Kernel.Files;

/// <summary>
/// Replaces a file's content so that a reader, and whoever comes after a crash, finds the old content or the new one,
/// whole: temporary file in the same folder, flushed to disk, renamed over the target, folder flushed to disk.
/// </summary>
public static class AtomicFile
{
    private const string TemporarySuffix = ".mooring-tmp";

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    /// <param name="path">The file; its folder must exist. A symbolic link is followed, its target is replaced.</param>
    /// <param name="text">The new content.</param>
    /// <param name="options">Permissions and backup.</param>
    public static void Write(string path, string text, AtomicFileOptions? options = null) =>
        Write(path, Encoding.UTF8.GetBytes(text), options);

    /// <summary>Writes bytes.</summary>
    /// <param name="path">The file; its folder must exist. A symbolic link is followed, its target is replaced.</param>
    /// <param name="content">The new content.</param>
    /// <param name="options">Permissions and backup.</param>
    public static void Write(string path, ReadOnlySpan<byte> content, AtomicFileOptions? options = null) =>
        Write(path, content, options ?? new AtomicFileOptions(), step: null);

    /// <summary>Writes bytes without holding the calling thread; the work is done on the thread pool.</summary>
    /// <param name="path">The file; its folder must exist. A symbolic link is followed, its target is replaced.</param>
    /// <param name="content">The new content; it must stay as it is until the task has ended.</param>
    /// <param name="options">Permissions and backup.</param>
    /// <param name="cancellationToken">Prevents a write that has not begun; a write that has begun is completed.</param>
    /// <returns>A task that ends when the content is on disk.</returns>
    public static Task WriteAsync(
        string path, ReadOnlyMemory<byte> content, AtomicFileOptions? options = null,
        CancellationToken cancellationToken = default) =>
        Task.Run(() => Write(path, content.Span, options), cancellationToken);

    /// <summary>Removes temporary files that a killed process left beside a file. Call it before the first write.</summary>
    /// <param name="path">The file that was to be written.</param>
    /// <returns>How many were removed.</returns>
    public static int DeleteLeftovers(string path)
    {
        path = Resolve(path);
        var leftovers = Directory.GetFiles(Path.GetDirectoryName(path)!, "." + Path.GetFileName(path) + ".*" + TemporarySuffix);
        foreach (var leftover in leftovers) File.Delete(leftover);
        return leftovers.Length;
    }

    /// <summary>The write itself; <paramref name="step"/> lets a test stop it at each of its steps.</summary>
    internal static void Write(string path, ReadOnlySpan<byte> content, AtomicFileOptions options, Action<string>? step)
    {
        path = Resolve(path);
        var mode = options.Mode ?? ModeOf(path);
        var temporary = TemporaryName(path);
        try
        {
            WriteThrough(temporary, content, mode);
            step?.Invoke("written");
            if (options.KeepBackup && File.Exists(path)) Backup(path, step);
            File.Move(temporary, path, overwrite: true);
            step?.Invoke("renamed");
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        FolderSync.Flush(Path.GetDirectoryName(path)!);
    }

    // A copy, not a rename: the file itself must be there at every moment.
    private static void Backup(string path, Action<string>? step)
    {
        var temporary = TemporaryName(path);
        try
        {
            WriteThrough(temporary, File.ReadAllBytes(path), ModeOf(path));
            step?.Invoke("backup written");
            File.Move(temporary, path + ".bak", overwrite: true);
            step?.Invoke("backup renamed");
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void WriteThrough(string path, ReadOnlySpan<byte> content, UnixFileMode? mode)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            PreallocationSize = content.Length,
        };
        // From the first moment: a key must not be readable by others even while it is being written.
        if (mode is not null && !OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
        using var file = new FileStream(path, options);
        if (mode is { } exact && !OperatingSystem.IsWindows()) File.SetUnixFileMode(file.SafeFileHandle, exact);
        file.Write(content);
        file.Flush(flushToDisk: true);
    }

    private static UnixFileMode? ModeOf(string path) =>
        !OperatingSystem.IsWindows() && File.Exists(path) ? File.GetUnixFileMode(path) : null;

    private static string Resolve(string path)
    {
        path = Path.GetFullPath(path);
        if (new FileInfo(path).LinkTarget is null) return path;
        return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
    }

    // Nobody else's name, which is all that it must be: random bytes for secrets would load OpenSSL into programs that have no other use for it.
    private static string TemporaryName(string path) => Path.Combine(
        Path.GetDirectoryName(path)!,
        $".{Path.GetFileName(path)}.{Guid.NewGuid():N}{TemporarySuffix}");
}
