using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Mooring.Tunnel.Client.Inspection;

/// <summary>The inspector's page and its API, for this machine's browser only.</summary>
public static partial class InspectorEndpoints
{
    /// <summary>Where browsers look for it.</summary>
    public const int DefaultPort = 4040;

    private const string RequestsPath = "/api/requests/http";

    /// <summary>Serves the page at / and the API below /api/requests/http.</summary>
    /// <param name="routes">Endpoints of a loopback listener.</param>
    /// <param name="inspector">What to show.</param>
    /// <param name="time">The clock.</param>
    public static void MapInspector(this IEndpointRouteBuilder routes, TunnelInspector inspector, TimeProvider time)
    {
        var guarded = routes.MapGroup("").AddEndpointFilter(OnlyThisMachineAsync);
        guarded.MapGet("/", (HttpContext context) => PageAsync(context));
        guarded.MapGet(RequestsPath, (HttpContext context) => ListAsync(context, inspector));
        guarded.MapGet(RequestsPath + "/{id:long}", (HttpContext context, long id) => DetailAsync(context, inspector, id));
        guarded.MapPost(RequestsPath, (HttpContext context) => ReplayAsync(context, inspector, time));
        guarded.MapDelete(RequestsPath, (HttpContext context) => ClearAsync(context, inspector));
    }

    // A page of another site must neither read what went through the tunnel nor send it again (DNS rebinding, forms).
    private static async ValueTask<object?> OnlyThisMachineAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var request = context.HttpContext.Request;
        var origin = request.Headers.Origin.ToString();
        var isOwn = request.Host.Host is "localhost" or "127.0.0.1" or "[::1]"
            && (origin.Length == 0 || origin.Equals($"http://{request.Host}", StringComparison.OrdinalIgnoreCase));
        return isOwn ? await next(context) : Results.StatusCode(StatusCodes.Status403Forbidden);
    }

    private static TransactionView View(Transaction t) =>
        new(t.Id, t.Method, t.Path, t.Status, Math.Round(t.Duration.TotalMilliseconds, 1), t.Started, t.RequestId);

    private static Task ListAsync(HttpContext context, TunnelInspector inspector) =>
        AnswerAsync(context, new TransactionList([.. inspector.All.Select(View)]), InspectorJson.Default.TransactionList);

    private static Task DetailAsync(HttpContext context, TunnelInspector inspector, long id)
    {
        if (inspector.Find(id) is { } t)
        {
            var detail = new TransactionDetail(View(t), Masked(t.Request.Span), Masked(t.Response.Span), t.IsRequestCut, t.IsResponseCut);
            return AnswerAsync(context, detail, InspectorJson.Default.TransactionDetail);
        }
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static async Task ReplayAsync(HttpContext context, TunnelInspector inspector, TimeProvider time)
    {
        ReplayRequest? wanted = null;
        try
        {
            wanted = await JsonSerializer.DeserializeAsync(context.Request.Body, InspectorJson.Default.ReplayRequest, context.RequestAborted);
        }
        catch (JsonException)
        {
            // Answered below.
        }
        if (wanted is null || inspector.Find(wanted.Id) is not { } original || await inspector.ReplayAsync(original, time, context.RequestAborted) is not { } replay)
        {
            context.Response.StatusCode = wanted is null ? StatusCodes.Status400BadRequest : StatusCodes.Status404NotFound;
            return;
        }
        await AnswerAsync(context, new TransactionDetail(View(replay), Masked(replay.Request.Span), Masked(replay.Response.Span), false, replay.IsResponseCut), InspectorJson.Default.TransactionDetail);
    }

    private static Task ClearAsync(HttpContext context, TunnelInspector inspector)
    {
        inspector.Clear();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static async Task AnswerAsync<T>(HttpContext context, T body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        await context.Response.WriteAsJsonAsync(body, type, cancellationToken: context.RequestAborted);

    /// <summary>What is shown leaves secrets out; what is sent again has them.</summary>
    internal static string Masked(ReadOnlySpan<byte> bytes) => Secrets().Replace(Encoding.Latin1.GetString(bytes), "$1****");

    private static async Task PageAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";
        await context.Response.WriteAsync(Page, context.RequestAborted);
    }

    [GeneratedRegex(@"^((?:authorization|proxy-authorization|cookie|set-cookie):[ \t]*)[^\r\n]*", RegexOptions.IgnoreCase | RegexOptions.Multiline)]
    private static partial Regex Secrets();

    private const string Page =
        """
        <!doctype html><html lang="en"><meta charset="utf-8"><title>Tunnel inspector</title>
        <style>
        body{font:14px/1.45 system-ui,sans-serif;margin:0;color:#223;display:grid;grid-template-columns:minmax(20rem,2fr) 3fr;height:100vh}
        nav{overflow:auto;border-right:1px solid #ccd}main{overflow:auto;padding:0 1rem}table{width:100%;border-collapse:collapse}
        td{padding:.3rem .6rem;border-bottom:1px solid #eef;white-space:nowrap}td:nth-child(2){max-width:18rem;overflow:hidden;text-overflow:ellipsis}
        tr{cursor:pointer}tr:hover{background:#f3f5fb}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f7f8fc;padding:.8rem}button{margin:.6rem .4rem .6rem 0}
        </style>
        <nav><button id="clear">Clear</button><table><tbody id="list"></tbody></table></nav>
        <main><button id="replay" disabled>Send again</button><h3>Request</h3><pre id="request"></pre><h3>Response</h3><pre id="response"></pre></main>
        <script>
        const api='/api/requests/http',by=id=>document.getElementById(id);let current=0,last='';
        async function load(){const text=await (await fetch(api)).text();if(text===last)return;last=text;
          by('list').replaceChildren(...JSON.parse(text).requests.map(r=>{const row=document.createElement('tr');
            for(const cell of [r.method,r.path,r.status,r.duration_ms+' ms']){const td=document.createElement('td');td.textContent=cell;row.append(td)}
            row.onclick=()=>show(r.id);return row}))}
        function put(d){current=d.summary.id;by('request').textContent=d.request+(d.request_cut?'\n(cut)':'');by('response').textContent=d.response+(d.response_cut?'\n(cut)':'');by('replay').disabled=d.request_cut}
        async function show(id){put(await (await fetch(api+'/'+id)).json())}
        by('replay').onclick=async()=>{put(await (await fetch(api,{method:'POST',body:JSON.stringify({id:current})})).json());load()};
        by('clear').onclick=async()=>{await fetch(api,{method:'DELETE'});load()};
        load();setInterval(load,1000);
        </script></html>
        """;
}
