using System.Text;

namespace Mooring.Tunnel.Protocol.Http;

/// <summary>Names and values of header fields.</summary>
internal static class HttpField
{
    /// <summary>Fields that concern one connection only (RFC 9110 7.6.1) and never pass a proxy.</summary>
    public static bool IsHopByHop(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => Is(name, "te"u8),
        7 => Is(name, "upgrade"u8) || Is(name, "trailer"u8),
        10 => Is(name, "connection"u8) || Is(name, "keep-alive"u8),
        16 => Is(name, "proxy-connection"u8),
        17 => Is(name, "transfer-encoding"u8),
        _ => false,
    };

    public static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(name, lowerCase);

    /// <summary>Whether a list like that of Connection or Transfer-Encoding has this element.</summary>
    public static bool ListHas(ReadOnlySpan<byte> value, ReadOnlySpan<byte> lowerCase)
    {
        while (!value.IsEmpty)
        {
            var comma = value.IndexOf((byte)',');
            var element = comma < 0 ? value : value[..comma];
            if (Is(Trim(element), lowerCase)) return true;
            value = comma < 0 ? default : value[(comma + 1)..];
        }
        return false;
    }

    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> value) => value.Trim(" \t"u8);

    /// <summary>A field name (RFC 9110 5.6.2).</summary>
    public static bool IsToken(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty) return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && "!#$%&'*+-.^_`|~"u8.IndexOf(c) < 0) return false;
        }
        return true;
    }

    /// <summary>A value without line breaks and NUL, which would begin another field.</summary>
    public static bool IsValue(ReadOnlySpan<byte> value) => value.IndexOfAny("\r\n\0"u8) < 0;
}
