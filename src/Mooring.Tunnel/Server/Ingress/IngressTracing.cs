using System.Diagnostics;
using System.Globalization;
using Mooring.Kernel.Tracing;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>Spans of visitors' requests, on activity source <c>Mooring.Tunnel</c>. The application behind the tunnel gets the span's place as its parent.</summary>
internal static class IngressTracing
{
    private static readonly ActivitySource Source = new("Mooring.Tunnel");

    /// <summary>A visitor's request, whatever becomes of it; goes on with the visitor's own trace.</summary>
    internal static TraceSpan Begin(IngressRequest request)
    {
        if (!Source.HasListeners()) return default;
        var parent = TraceContext.Parse(request.Header(TraceContext.ParentName), request.Header(TraceContext.StateName));
        return TraceSpan.Start(Source, "tunnel request", ActivityKind.Server, parent).With("http.request.method", request.Request.Method);
    }

    /// <summary>What became of it.</summary>
    internal static void Describe(TraceSpan span, IngressRequest request, string? tunnel)
    {
        if (!span.IsRecorded) return;
        var status = request.Response.StatusCode;
        span.With("mooring.tunnel.name", tunnel).With("server.address", request.Request.Headers.Host.ToString())
            .With("url.path", request.Request.Path).With("http.response.status_code", status);
        if (status >= 500) span.Fail(status.ToString(CultureInfo.InvariantCulture));
    }
}
