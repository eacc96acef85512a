using System.Text;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.Http;

namespace Mooring.Tunnel.Client.Streams;

/// <summary>Turns the application's response head into what the server passes on.</summary>
internal static class ResponseForwarding
{
    [ThreadStatic]
    private static HeaderBlock? t_block;

    /// <summary>Collects the fields that concern the visitor. The result is valid until the next call on this thread.</summary>
    public static ReadOnlySpan<byte> Fields(in HttpResponseHead head, ClientTunnel tunnel)
    {
        var block = t_block ??= new HeaderBlock();
        block.Clear();
        var named = default(ReadOnlySpan<byte>);
        var fields = new HttpFieldLines(head.Fields);
        while (fields.Read())
        {
            if (HttpField.IsHopByHop(fields.Name))
            {
                if (HttpField.Is(fields.Name, "connection"u8)) named = fields.Value;
                continue;
            }
            if (head.IsChunked && HttpField.Is(fields.Name, "content-length"u8)) continue;
            if (!named.IsEmpty && !HttpField.ListHas(named, "close"u8) && IsListed(named, fields.Name)) continue;
            if (HttpField.Is(fields.Name, "location"u8) && RedirectTarget.Rewrite(fields.Value, tunnel) is { } location) block.Add(fields.Name, location);
            else Add(block, fields.Name, fields.Value);
        }
        return block.Encoded;
    }

    public static ReadOnlySpan<byte> Trailers(ReadOnlySpan<byte> lines)
    {
        var block = t_block ??= new HeaderBlock();
        block.Clear();
        var fields = new HttpFieldLines(lines);
        while (fields.Read()) Add(block, fields.Name, fields.Value);
        return block.Count == 0 ? default : block.Encoded;
    }

    private static void Add(HeaderBlock block, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (Ascii.IsValid(value)) block.Add(name, value);
        else block.Add(name, Encoding.Latin1.GetString(value));
    }

    private static bool IsListed(ReadOnlySpan<byte> list, ReadOnlySpan<byte> name)
    {
        Span<byte> lower = stackalloc byte[64];
        return name.Length <= lower.Length && Ascii.ToLower(name, lower, out var length) == System.Buffers.OperationStatus.Done
            && HttpField.ListHas(list, lower[..length]);
    }
}
