using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>
/// One file of the journal, being written. It begins with 16 bytes: <c>MQTTJRNL</c>, format version (2 bytes), 2 bytes of zero, salt.
/// </summary>
internal sealed class Segment : IDisposable
{
    internal const int HeaderBytes = 16;
    internal const ushort FormatVersion = 1;
    private const string Extension = ".journal";

    private readonly SafeFileHandle _file;

    private Segment(SafeFileHandle file) => _file = file;

    internal long Length { get; private set; }

    private static ReadOnlySpan<byte> Magic => "MQTTJRNL"u8;

    /// <summary>Begins a file; its bytes are reserved, so that a full disk is met here and not in the middle of a record.</summary>
    internal static Segment Create(string folder, long number, uint salt, int reservedBytes)
    {
        var path = System.IO.Path.Combine(folder, number.ToString("D10", CultureInfo.InvariantCulture) + Extension);
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(
                path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, FileOptions.None, preallocationSize: reservedBytes);
            var segment = new Segment(file);
            Span<byte> header = stackalloc byte[HeaderBytes];
            Magic.CopyTo(header);
            BinaryPrimitives.WriteUInt16LittleEndian(header[8..], FormatVersion);
            BinaryPrimitives.WriteUInt32LittleEndian(header[12..], salt);
            segment.Append(header);
            return segment;
        }
        catch
        {
            file?.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>The files of a folder in the order they were written.</summary>
    internal static IEnumerable<(long Number, string Path)> In(string folder) =>
        from path in Directory.EnumerateFiles(folder, "*" + Extension)
        let name = System.IO.Path.GetFileNameWithoutExtension(path)
        where long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _)
        let number = long.Parse(name, CultureInfo.InvariantCulture)
        orderby number
        select (number, path);

    /// <summary>Salt of a file that was read; null when its header was never written whole.</summary>
    /// <exception cref="StorageException">The file is none of ours, or of a later version.</exception>
    internal static uint? ReadSalt(string path, ReadOnlySpan<byte> content)
    {
        if (content.Length < HeaderBytes)
        {
            return null;
        }

        if (!content.StartsWith(Magic))
        {
            throw new StorageException($"{path}: not a journal of this broker; move it away, or name another folder");
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(content[8..]);
        return version <= FormatVersion
            ? BinaryPrimitives.ReadUInt32LittleEndian(content[12..])
            : throw new StorageException(
                $"{path}: written in format {version} by a newer version; this one reads formats up to {FormatVersion}");
    }

    /// <summary>Writes at the end; a failed write leaves the end where it was.</summary>
    internal void Append(ReadOnlySpan<byte> bytes)
    {
        RandomAccess.Write(_file, bytes, Length);
        Length += bytes.Length;
    }

    internal void FlushToDisk() => RandomAccess.FlushToDisk(_file);

    public void Dispose() => _file.Dispose();
}
