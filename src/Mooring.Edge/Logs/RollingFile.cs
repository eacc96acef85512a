using System.Globalization;
using System.Text;

namespace Mooring.Edge.Logs;

/// <summary>A file for each day, continued in another when it is full; old ones go. Never begins a day anew: what was written stays.</summary>
internal sealed class RollingFile(string folder, string name, LogFileOptions options) : IDisposable
{
    private FileStream? _file;
    private DateOnly _day;

    /// <summary>Writes lines, each with its time.</summary>
    /// <exception cref="IOException">the disk is full, or the folder cannot be written</exception>
    public void Write(DateTimeOffset localTime, ReadOnlySpan<char> line)
    {
        var day = DateOnly.FromDateTime(localTime.DateTime);
        if (_file is null || day != _day || _file.Length >= options.FileBytesMax) Open(day);
        Span<byte> bytes = stackalloc byte[512];
        var length = Encoding.UTF8.GetMaxByteCount(line.Length) + 1;
        if (length > bytes.Length) bytes = new byte[length];
        var written = Encoding.UTF8.GetBytes(line, bytes);
        bytes[written++] = (byte)'\n';
        _file!.Write(bytes[..written]);
    }

    /// <summary>Hands what was written to the system.</summary>
    public void Flush() => _file?.Flush();

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private void Open(DateOnly day)
    {
        _file?.Dispose();
        _file = null;
        Directory.CreateDirectory(folder);
        var path = FirstWithRoom(day);
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        _day = day;
        Prune(path);
    }

    private string FirstWithRoom(DateOnly day)
    {
        // After the last of the day, not in a gap that was left by one that went.
        var number = Files().Where(file => DayOf(file.Name) == day).Select(file => NumberOf(file.Name)).DefaultIfEmpty(0).Max();
        var path = PathOf(day, number);
        return new FileInfo(path) is { Exists: true } file && file.Length >= options.FileBytesMax ? PathOf(day, number + 1) : path;
    }

    private string PathOf(DateOnly day, int number) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}-{day:yyyy-MM-dd}{(number == 0 ? "" : $".{number}")}.log"));

    private IEnumerable<FileInfo> Files() => new DirectoryInfo(folder).EnumerateFiles(name + "-????-??-??*.log");

    // Between the day and the ending.
    private int NumberOf(string fileName) =>
        int.TryParse(fileName.AsSpan(name.Length + 1)[10..^".log".Length].TrimStart('.'), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private void Prune(string current)
    {
        var oldest = _day.AddDays(1 - options.DaysMax);
        long total = 0;
        foreach (var file in Files().OrderByDescending(f => DayOf(f.Name)).ThenByDescending(f => NumberOf(f.Name)))
        {
            total += file.Length;
            if (file.FullName != Path.GetFullPath(current) && (DayOf(file.Name) < oldest || total > options.FolderBytesMax)) file.Delete();
        }
    }

    private DateOnly DayOf(string fileName) =>
        DateOnly.TryParseExact(fileName.AsSpan(name.Length + 1)[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : DateOnly.MinValue;
}
