using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Mooring.Web;

/// <summary>A static file of the console: part of the assembly, compressed when it is first asked for, and asked for again only when it changed.</summary>
internal sealed class Page(string name, byte[] bytes)
{
    // The page runs our own modules and talks to its own origin. Nothing is inline, and a string never becomes markup.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; " +
        "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private readonly Lazy<byte[]> _brotli = new(() => Compressed(bytes, stream => new BrotliStream(stream, CompressionLevel.Optimal)));
    private readonly Lazy<byte[]> _gzip = new(() => Compressed(bytes, stream => new GZipStream(stream, CompressionLevel.Optimal)));
    private readonly EntityTagHeaderValue _tag = new($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8))}\"", isWeak: true);

    public string Name => name;

    public byte[] Bytes => bytes;

    public async Task ServeAsync(HttpContext context)
    {
        var response = context.Response;
        var headers = response.Headers;
        headers.ETag = _tag.ToString();
        headers.CacheControl = "no-cache";
        headers.Vary = "Accept-Encoding";
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (EntityTagHeaderValue.TryParseList(context.Request.Headers.IfNoneMatch, out var known) && known.Any(tag => tag.Compare(_tag, useStrongComparison: false)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        var (body, coding) = Choose(context.Request.Headers.AcceptEncoding.ToString());
        if (coding is not null) headers.ContentEncoding = coding;
        response.ContentType = TypeOf(name);
        response.ContentLength = body.Length;
        await response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    private (byte[] Body, string? Coding) Choose(string accepted)
    {
        if (accepted.Contains("br", StringComparison.Ordinal)) return (_brotli.Value, "br");
        return accepted.Contains("gzip", StringComparison.Ordinal) ? (_gzip.Value, "gzip") : (bytes, null);
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };

    private static byte[] Compressed(byte[] bytes, Func<Stream, Stream> wrap)
    {
        using var result = new MemoryStream();
        using (var stream = wrap(result)) stream.Write(bytes);
        return result.ToArray();
    }
}
