using System.Buffers.Text;
using System.Globalization;

namespace Mooring.Cli.Hosting;

/// <summary>
/// Finds in the lines of <c>/proc/self/smaps</c> (proc(5)) the mappings of files whose pages can be dropped at any time, since the file has all of
/// them: those that cannot be written and of which no page was changed.
/// </summary>
internal sealed class SmapsReader(List<(nuint Start, nuint End)> found)
{
    private (nuint Start, nuint End)? _mapping;

    /// <summary>Takes the next line, without its end.</summary>
    internal void Add(ReadOnlySpan<byte> line)
    {
        if (TryReadHeader(line, out var begun)) _mapping = begun;
        else if (Kilobytes(line, "Rss:"u8) == 0 || Kilobytes(line, "Anonymous:"u8) > 0) _mapping = null;
        // The last line of a mapping.
        else if (line.StartsWith("VmFlags:"u8))
        {
            if (_mapping is { } mapping) found.Add(mapping);
            _mapping = null;
        }
    }

    private static long? Kilobytes(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) =>
        line.StartsWith(name) && Utf8Parser.TryParse(line[name.Length..].TrimStart((byte)' '), out long value, out _) ? value : null;

    /// <summary>Reads <c>START-END PERMISSIONS OFFSET DEVICE INODE PATH</c>; a mapping that is to be left alone is null.</summary>
    private static bool TryReadHeader(ReadOnlySpan<byte> line, out (nuint, nuint)? mapping)
    {
        mapping = null;
        var dash = line.IndexOf((byte)'-');
        var space = line.IndexOf((byte)' ');
        if (dash <= 0 || space < dash || line.Length < space + "rwxp ".Length) return false;
        if (!nuint.TryParse(line[..dash], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start)
            || !nuint.TryParse(line[(dash + 1)..space], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end)) return false;
        var isReadOnly = line[space + 2] == '-';
        // What has no name any more, such as the memory files of the runtime, may have no other place for its pages.
        if (isReadOnly && line.Contains((byte)'/') && !line.EndsWith(" (deleted)"u8)) mapping = (start, end);
        return true;
    }
}
