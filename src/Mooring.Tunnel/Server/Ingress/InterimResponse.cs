using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Protocol.Http;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>
/// Informational responses of the application (RFC 9110 15.2), such as 103 Early Hints. Kestrel has no call for them, so they are written on the visitor's
/// connection itself. That is safe while nothing else writes there: before the response, in HTTP/1.1, where the one before is out, and without
/// Expect, whose 100 Kestrel sends when it likes. With TLS a write may take a while, during which the response could not begin; visitors of HTTP/2 have frames of
/// Kestrel's own. Neither gets any: an informational response may always be left out.
/// </summary>
internal static class InterimResponse
{
    /// <summary>Far below what Kestrel's buffer has room for behind a flushed response, so that writing never waits.</summary>
    internal const int BytesMax = 16 * 1024;

    /// <summary>Writes it, unless the visitor cannot have it or it is longer than allowed.</summary>
    public static void Write(IngressRequest request, in ResponseHead head)
    {
        if (head.Status is 100 or 101 || head.Headers.Length > BytesMax || request.IsTls || request.Request.Protocol != "HTTP/1.1" || request.Response.HasStarted
            || request.Request.Headers.ContainsKey(HeaderNames.Expect) || request.Features.Get<IConnectionTransportFeature>() is not { Transport.Output: var output })
        {
            return;
        }
        var text = new ArrayBufferWriter<byte>(256);
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {head.Status} {Phrase(head.Status)}\r\n"), text);
        var fields = new HeaderReader(head.Headers);
        while (fields.Read())
        {
            if (HttpField.IsHopByHop(fields.Name) || fields.Is("content-length"u8) || !HttpField.IsToken(fields.Name) || !HttpField.IsValue(fields.Value)) continue;
            text.Write(fields.Name);
            text.Write(": "u8);
            Encoding.Latin1.GetBytes(FrameView.Text(fields.Value), text);
            text.Write("\r\n"u8);
        }
        text.Write("\r\n"u8);
        Send(output, text.WrittenSpan);
    }

    // The framework knows no hints.
    private static string Phrase(int status) => status == 103 ? "Early Hints" : ReasonPhrases.GetReasonPhrase(status);

    private static void Send(PipeWriter output, ReadOnlySpan<byte> bytes)
    {
        try
        {
            output.Write(bytes);
            _ = output.FlushAsync().AsTask();
        }
        catch (InvalidOperationException)
        {
            // The connection has ended; whoever writes the response finds out.
        }
    }
}
