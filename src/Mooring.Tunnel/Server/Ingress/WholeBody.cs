using Microsoft.AspNetCore.Http.Features;
using Mooring.Tunnel.Links;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Collects a request's body for clients that take it only in one piece.</summary>
internal static class WholeBody
{
    /// <summary>Reads it; false when it is larger than allowed.</summary>
    public static async Task<bool> ReadAsync(IngressRequest request, PooledBytes body, int bytesMax)
    {
        if (request.Request.Headers.ContentLength > bytesMax) return false;
        var reader = request.Features.GetRequiredFeature<IRequestBodyPipeFeature>().Reader;
        while (true)
        {
            var read = await reader.ReadAsync();
            foreach (var segment in read.Buffer)
            {
                if (body.Length + segment.Length > bytesMax) return false;
                body.Append(segment.Span);
            }
            request.BytesIn = body.Length;
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted) return true;
        }
    }
}
