using System.Buffers;
using System.IO.Pipelines;
using System.Net;

namespace Mooring.Kernel.Proxying;

/// <summary>Takes the header of a proxy off what a connection sends.</summary>
public static class ProxiedPipe
{
    /// <summary>Reads the header; what follows it stays in the pipe.</summary>
    /// <param name="input">What the connection sends, from its first byte on.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Who connected to the proxy; null when it does not know, or speaks for itself.</returns>
    /// <exception cref="IOException">There is no header, a broken one, or an end before its end.</exception>
    public static async Task<IPEndPoint?> ReadProxyHeaderAsync(this PipeReader input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(input);
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var head = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, ProxyHeaderReader.BytesMax));
            if (ProxyHeaderReader.TryRead(head.IsSingleSegment ? head.FirstSpan : head.ToArray(), out var header, out var length))
            {
                input.AdvanceTo(read.Buffer.GetPosition(length));
                return header.Source;
            }
            if (read.IsCompleted) throw new ProxyHeaderException("the connection ended inside its PROXY header");
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
