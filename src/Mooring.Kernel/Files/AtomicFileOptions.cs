namespace Mooring.Kernel.Files;

/// <summary>How <see cref="AtomicFile"/> writes.</summary>
public sealed record AtomicFileOptions
{
    /// <summary>Readable and writable by its owner only: for keys and passwords.</summary>
    public static AtomicFileOptions Private { get; } =
        new() { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite };

    /// <summary>
    /// Permissions of the file on Unix, exactly, whatever the umask. Null keeps those of the file that is replaced, or
    /// takes the system's default for a new one.
    /// </summary>
    public UnixFileMode? Mode { get; init; }

    /// <summary>Keeps the content that is replaced beside the file, with <c>.bak</c> after its name.</summary>
    public bool KeepBackup { get; init; }
}
