using System.IO.Compression;

namespace Mooring.Chat.Protocol;

/// <summary>
/// Compression of RFC 7692, each message by itself: only so can a message be compressed once for all members of a room.
/// </summary>
internal static class PerMessageDeflate
{
    internal const string Name = "permessage-deflate";

    /// <summary>What the server answers to an offer that it takes.</summary>
    internal const string Accepted = $"{Name}; {ServerNoTakeover}; {ClientNoTakeover}";

    /// <summary>Bytes from which it can pay: below, the frame grows.</summary>
    internal const int WorthBytes = 64;

    private const string ServerNoTakeover = "server_no_context_takeover";
    private const string ClientNoTakeover = "client_no_context_takeover";
    private const string ClientWindow = "client_max_window_bits";

    // 7.2.1: a sync flush ends with an empty block, which stays away; 7.2.2: the reader puts it back. The last block ends the stream for our reader.
    private static readonly byte[] Tail = [0x00, 0x00, 0xFF, 0xFF];
    private static readonly byte[] TailAndEnd = [.. Tail, 0x01, 0x00, 0x00, 0xFF, 0xFF];

    /// <summary>Whether one of the offers in a header is one that can be kept (7.1): a smaller window of the server's cannot.</summary>
    internal static bool IsOffered(string header) => header.Split(',').Any(IsAcceptable);

    /// <summary>Compresses; null when that makes nothing smaller.</summary>
    internal static byte[]? Compress(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < WorthBytes) return null;
        using var compressed = new MemoryStream(payload.Length);
        using var deflate = new DeflateStream(compressed, CompressionLevel.Fastest, leaveOpen: true);
        deflate.Write(payload);
        deflate.Flush();
        var written = compressed.GetBuffer().AsSpan(0, (int)compressed.Length);
        if (written.EndsWith(Tail)) written = written[..^Tail.Length];
        return written.Length < payload.Length ? written.ToArray() : null;
    }

    /// <summary>Takes the compression off a message.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    /// <returns>The message; null when it would be longer than <paramref name="bytesMax"/>.</returns>
    internal static byte[]? Decompress(ReadOnlySpan<byte> payload, int bytesMax)
    {
        using var compressed = new MemoryStream([.. payload, .. TailAndEnd]);
        using var inflate = new DeflateStream(compressed, CompressionMode.Decompress);
        var buffer = new byte[Math.Min(bytesMax, Math.Max(payload.Length * 4, 256)) + 1];
        var filled = 0;
        while (inflate.Read(buffer, filled, buffer.Length - filled) is > 0 and var read)
        {
            filled += read;
            if (filled > bytesMax) return null;
            if (filled == buffer.Length) Array.Resize(ref buffer, Math.Min(buffer.Length * 2, bytesMax + 1));
        }
        return buffer[..filled];
    }

    private static bool IsAcceptable(string offer)
    {
        var parts = offer.Split(';', StringSplitOptions.TrimEntries);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return parts[0].Equals(Name, StringComparison.OrdinalIgnoreCase) && parts.Skip(1).All(part =>
            part.Split('=')[0].Trim() is var name && seen.Add(name)
            && (part.ToLowerInvariant() is ServerNoTakeover or ClientNoTakeover || name.Equals(ClientWindow, StringComparison.OrdinalIgnoreCase)));
    }
}
