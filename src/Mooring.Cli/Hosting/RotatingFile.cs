using System.Globalization;

namespace Mooring.Cli.Hosting;

/// <summary>A file that is written at its end. One that is full becomes <c>name.1</c>, that <c>name.2</c> and so on; the oldest goes.</summary>
internal sealed class RotatingFile : IDisposable
{
    /// <summary>Full files that are kept.</summary>
    internal const int KeptMax = 5;

    private readonly string _path;
    private readonly long _bytesMax;
    private FileStream? _file;

    /// <param name="path">Where it is.</param>
    /// <param name="bytesMax">Length at which it is full; 0 for never.</param>
    internal RotatingFile(string path, long bytesMax)
    {
        _path = Path.GetFullPath(path);
        _bytesMax = bytesMax;
        Reopen();
    }

    /// <summary>Writes to the file that has the name now: the one before may have been moved away.</summary>
    internal void Reopen()
    {
        _file?.Dispose();
        _file = null;
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        _file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
    }

    internal void Write(ReadOnlySpan<byte> line)
    {
        if (_file is null) Reopen();
        if (_bytesMax > 0 && _file!.Position > 0 && _file.Position + line.Length > _bytesMax) Rotate();
        _file!.Write(line);
    }

    internal void Flush() => _file?.Flush();

    public void Dispose() => _file?.Dispose();

    private void Rotate()
    {
        _file!.Dispose();
        _file = null;
        for (var i = KeptMax - 1; i > 0; i--)
            if (File.Exists(Kept(i))) File.Move(Kept(i), Kept(i + 1), overwrite: true);
        File.Move(_path, Kept(1), overwrite: true);
        Reopen();
    }

    private string Kept(int number) => string.Create(CultureInfo.InvariantCulture, $"{_path}.{number}");
}
