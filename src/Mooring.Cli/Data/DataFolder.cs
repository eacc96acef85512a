using System.Globalization;
using Mooring.Cli.Hosting;
using Mooring.Kernel.Files;

namespace Mooring.Cli.Data;

/// <summary>
/// The data folder while it is used: locked against other processes, and of a format that this program knows. The operating system lets go of
/// the lock when the process ends, however it ends.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    /// <summary>The format that this program writes. It changes when an older program would misread the folder; tables have versions of their own.</summary>
    internal const int Format = 1;

    internal const string FormatFile = "format";
    internal const string LockFile = "mooring.lock";
    internal const string ProcessFile = "mooring.pid";
    internal const string RoleLockSuffix = ".lock";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream[] _locks;

    private DataFolder(params FileStream[] locks) => _locks = locks;

    /// <summary>Takes the folder for this process alone; it is made when missing.</summary>
    /// <exception cref="UserErrorException">It cannot be used; one line says why.</exception>
    internal static DataFolder Take(string folder)
    {
        Prepare(folder);
        var held = Lock(folder, LockFile, isShared: false);
        try
        {
            Write(folder, ProcessFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return new DataFolder(held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Takes the folder for one role; other roles may run beside it as processes of their own.</summary>
    internal static DataFolder TakeRole(string folder, string role)
    {
        Prepare(folder);
        var shared = Lock(folder, LockFile, isShared: true);
        try
        {
            return new DataFolder(shared, Lock(folder, role + RoleLockSuffix, isShared: false));
        }
        catch
        {
            shared.Dispose();
            throw;
        }
    }

    /// <summary>Makes the folder when it is missing, for its owner only.</summary>
    internal static void Make(string folder)
    {
        try
        {
            // Messages, keys and hashes of others are nobody's business.
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, OwnerOnly);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"the data folder '{folder}' cannot be made: {exception.Message}");
        }
    }

    /// <summary>What keeps the folder from being read by this program; null when nothing does. A folder that does not exist yet is good.</summary>
    internal static string? FormatProblem(string folder)
    {
        string text;
        try
        {
            text = File.ReadAllText(Path.Combine(folder, FormatFile)).Trim();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"the data folder '{folder}' cannot be read: {exception.Message}";
        }
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var format))
            return $"the data folder '{folder}' has a file '{FormatFile}' without a number: it is none of Mooring's";
        return format <= Format ? null : $"the data folder '{folder}' has format {format}, written by a newer version; this one reads formats up to {Format}";
    }

    /// <summary>Whether another process has the folder now.</summary>
    internal static bool IsInUse(string folder)
    {
        try
        {
            if (!File.Exists(Path.Combine(folder, LockFile))) return false;
            using var probe = new FileStream(Path.Combine(folder, LockFile), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void Dispose()
    {
        foreach (var held in _locks) held.Dispose();
    }

    private static void Prepare(string folder)
    {
        Make(folder);
        if (FormatProblem(folder) is { } problem) throw new UserErrorException(problem);
        // A folder from before there was a number has format 1.
        if (!File.Exists(Path.Combine(folder, FormatFile))) Write(folder, FormatFile, Format.ToString(CultureInfo.InvariantCulture) + "\n");
    }

    private static FileStream Lock(string folder, string name, bool isShared)
    {
        try
        {
            return isShared
                ? new FileStream(Path.Combine(folder, name), FileMode.OpenOrCreate, FileAccess.Read, FileShare.Read)
                : new FileStream(Path.Combine(folder, name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new UserErrorException($"the data folder '{folder}' cannot be written: {exception.Message}");
        }
        catch (IOException exception) when (IsReadOnly(exception) || IsFull(exception))
        {
            throw new UserErrorException(Unwritable(folder, exception));
        }
        catch (IOException)
        {
            throw new UserErrorException($"the data folder '{folder}' is in use by another process{Owner(folder)}; stop it, or name another folder with --data");
        }
    }

    private static string Owner(string folder)
    {
        try
        {
            return $" ({File.ReadAllText(Path.Combine(folder, ProcessFile)).Trim()})";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static void Write(string folder, string name, string text)
    {
        try
        {
            AtomicFile.Write(Path.Combine(folder, name), text);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException(Unwritable(folder, exception));
        }
    }

    private static string Unwritable(string folder, Exception exception) => IsFull(exception)
        ? $"the disk of the data folder '{folder}' is full"
        : $"the data folder '{folder}' cannot be written: {exception.Message}";

    // The numbers are Linux's ENOSPC, EDQUOT and EROFS.
    private static bool IsFull(Exception exception) => exception.HResult is 28 or 122;

    private static bool IsReadOnly(Exception exception) => exception.HResult == 30;
}
