namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>Keeps a second process out of a folder; the operating system lets go when the process ends, however it ends.</summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <exception cref="StorageException">The folder cannot be made or written, or another process uses it.</exception>
    internal static FolderLock Take(string folder)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
            }
            else
            {
                // Messages of others are nobody's business.
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"the data folder '{folder}' cannot be made: {error.Message}", error);
        }

        var path = Path.Combine(folder, "lock");
        try
        {
            return new FolderLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException error)
        {
            throw new StorageException($"the data folder '{folder}' cannot be written: {error.Message}", error);
        }
        catch (IOException error)
        {
            throw new StorageException($"the data folder '{folder}' is in use by another broker; stop it, or name another folder", error);
        }
    }

    public void Dispose() => _file.Dispose();
}
