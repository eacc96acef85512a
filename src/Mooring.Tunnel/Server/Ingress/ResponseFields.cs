using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.Http;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Puts what the client answered on the visitor's response.</summary>
internal static class ResponseFields
{
    public static void Apply(in ResponseHead head, IHttpResponseFeature response)
    {
        response.StatusCode = head.Status;
        var hasNoBody = head.Status is 204 or 205;
        var reader = new HeaderReader(head.Headers);
        while (reader.Read())
        {
            if (HttpField.IsHopByHop(reader.Name) || (hasNoBody && reader.Is("content-length"u8))) continue;
            Add(response.Headers, reader);
        }
    }

    public static void Apply(ReadOnlySpan<byte> encoded, IHeaderDictionary trailers)
    {
        var reader = new HeaderReader(encoded);
        while (reader.Read()) Add(trailers, reader);
    }

    private static void Add(IHeaderDictionary headers, in HeaderReader reader)
    {
        var name = HeaderNamePool.Get(reader.Name);
        var value = FrameView.Text(reader.Value);
        if (headers.TryGetValue(name, out var before)) headers[name] = StringValues.Concat(before, value);
        else headers[name] = value;
    }

    /// <summary>Names repeat from response to response; the common ones are kept.</summary>
    private static class HeaderNamePool
    {
        private const int Slots = 256;

        private static readonly string?[] s_names = new string?[Slots];

        public static string Get(ReadOnlySpan<byte> name)
        {
            var hash = new HashCode();
            hash.AddBytes(name);
            ref var slot = ref s_names[hash.ToHashCode() & (Slots - 1)];
            var known = Volatile.Read(ref slot);
            if (known is not null && Ascii.Equals(name, known)) return known;
            var text = Encoding.ASCII.GetString(name);
            Volatile.Write(ref slot, text);
            return text;
        }
    }
}
