using System.Runtime.InteropServices;

namespace Mooring.Kernel.Files;

/// <summary>Makes a rename durable: on Unix the new name is on disk only once its folder has been flushed.</summary>
internal static partial class FolderSync
{
    private const int ReadOnly = 0;
    private const int CloseOnExec = 0x80000;

    // EINVAL: the file system has nothing to flush for a folder (some network and overlay file systems).
    private const int InvalidArgument = 22;

    public static void Flush(string folder)
    {
        // NTFS journals renames, and a folder cannot be flushed there. The constants above are Linux's.
        if (!OperatingSystem.IsLinux()) return;
        var descriptor = Open(folder, ReadOnly | CloseOnExec);
        if (descriptor < 0) throw Failed(folder);
        try
        {
            if (Synchronize(descriptor) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument) throw Failed(folder);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failed(string folder) =>
        new($"cannot flush the folder '{folder}' to disk: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
