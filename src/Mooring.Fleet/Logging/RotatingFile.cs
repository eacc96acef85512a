using System.Globalization;

namespace Mooring.Fleet.Logging;

/// <summary>A file that starts anew when it is full; the former ones are kept as <c>.1</c> (newest) to <c>.5</c>.</summary>
internal sealed class RotatingFile(string path, long bytesMax = RotatingFile.BytesMax) : ILogSink
{
    /// <summary>Size at which the file is put aside, as the original's.</summary>
    internal const long BytesMax = 10_485_760;

    /// <summary>Former files that are kept.</summary>
    internal const int Kept = 5;

    private FileStream? _file;

    public void Write(ReadOnlySpan<byte> line)
    {
        _file ??= Open();
        if (_file.Length > 0 && _file.Length + line.Length > bytesMax) Rotate();
        _file.Write(line);
        _file.Flush();
    }

    public void Dispose() => _file?.Dispose();

    private FileStream Open() => new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    private void Rotate()
    {
        _file!.Dispose();
        _file = null;
        for (var i = Kept - 1; i >= 0; i--)
            if (File.Exists(Numbered(i))) File.Move(Numbered(i), Numbered(i + 1), overwrite: true);
        _file = Open();
    }

    private string Numbered(int number) => number == 0 ? path : string.Create(CultureInfo.InvariantCulture, $"{path}.{number}");
}
