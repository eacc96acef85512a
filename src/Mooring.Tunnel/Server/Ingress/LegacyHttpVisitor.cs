using System.Globalization;
using System.Text;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Protocol.Http;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>One HTTP request through a client of generation A: whole there, whole back.</summary>
internal sealed class LegacyHttpVisitor(LegacySession session, TunnelBinding binding, IngressRequest request)
{
    public async Task RunAsync()
    {
        var body = new PooledBytes(0);
        try
        {
            if (request.HasBody && !await WholeBody.ReadAsync(request, body, WireLimits.GenerationABodyBytes))
            {
                await ErrorPages.WriteAsync(request, 413, $"this tunnel's client takes bodies of at most {WireLimits.GenerationABodyBytes} bytes");
                return;
            }
            if (binding.TakeIn(body.Length) < body.Length) await RefuseForTheDayAsync();
            else await ExchangeAsync(Encode(body));
        }
        catch (TimeoutException)
        {
            await ErrorPages.WriteAsync(request, 504, "the application did not answer in time");
        }
        catch (Exception exception) when (exception is IOException or TunnelProtocolException or InvalidOperationException)
        {
            // The last is how the visitor's side of the server refuses what HTTP does not allow.
            await ErrorPages.WriteAsync(request, 502, exception.Message);
        }
        finally
        {
            body.Dispose();
        }
    }

    private async Task ExchangeAsync(byte[] encoded)
    {
        if (await session.TakeAsync(binding, fresh: false) is not { } proxy)
        {
            await ErrorPages.WriteAsync(request, session.Link.Ended.IsCancellationRequested ? 502 : 504, "the client opened no proxy connection");
            return;
        }
        ProxyResponse response;
        try
        {
            if (proxy.Binding is null) proxy.Start(binding, $"{request.RemoteText}:{request.Connection.RemotePort.ToString(CultureInfo.InvariantCulture)}", request.RequestId);
            var content = await proxy.AskAsync(encoded, session.Context.Options.Limits.FirstByteTimeout);
            response = ProxyCodec.ReadResponse(content);
        }
        catch
        {
            // Its answer, should it still come, must not be taken for that of another request.
            proxy.Close("no answer");
            throw;
        }
        proxy.Return();
        await WriteAsync(response);
    }

    private byte[] Encode(PooledBytes body)
    {
        var block = ForwardedRequest.Write(request, request.IsTrusted, forWebSocket: false);
        if (body.Length > 0 && request.Request.Headers.ContentLength is null) block.Add("Content-Length", body.Length.ToString(CultureInfo.InvariantCulture));
        var target = request.Target;
        var question = target.IndexOf('?', StringComparison.Ordinal);
        return ProxyCodec.Write(new ProxyRequest(
            request.Request.Method, question < 0 ? target : target[..question], question < 0 ? "" : target[(question + 1)..], HeaderMap.Joined(block),
            body.Memory));
    }

    private async Task WriteAsync(ProxyResponse answer)
    {
        if (answer.Status is < 200 or > 999) throw new IOException($"{answer.Status} is no status to end with");
        var body = answer.Body;
        var hasNoLength = answer.Status is 204 or 205;
        var hasBody = !request.IsHead && !hasNoLength && answer.Status != 304;
        var response = request.Response;
        response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers)
        {
            var utf8 = Encoding.UTF8.GetBytes(name);
            if (HttpField.Is(utf8, "transfer-encoding"u8) && value.Contains("chunked", StringComparison.OrdinalIgnoreCase)) body = Unchunked(body);
            if (HttpField.IsHopByHop(utf8) || !HttpField.IsToken(utf8) || !HttpField.IsValue(Encoding.UTF8.GetBytes(value))) continue;
            if ((hasBody || hasNoLength) && HttpField.Is(utf8, "content-length"u8)) continue;
            response.Headers[name] = value;
        }
        if (!hasBody) return;
        request.BytesOut = binding.TakeOut(body.Length);
        if (request.BytesOut < body.Length)
        {
            await RefuseForTheDayAsync();
            return;
        }
        response.Headers.ContentLength = body.Length;
        await request.Body.Writer.WriteAsync(body);
    }

    private Task RefuseForTheDayAsync() => ErrorPages.WriteAsync(request, 429, AccountUsage.DayIsOver, session.Usage.SecondsLeftOfDay);

    /// <summary>These clients pass a chunked body on with its framing, which is ours to take off.</summary>
    private static ReadOnlyMemory<byte> Unchunked(ReadOnlyMemory<byte> body)
    {
        var decoder = new ChunkedDecoder();
        var plain = new MemoryStream(body.Length);
        while (!body.IsEmpty && !decoder.IsDone)
        {
            plain.Write(decoder.Read(body.Span, out var used));
            body = body[used..];
        }
        return decoder.IsDone ? plain.ToArray() : throw new IOException("the application's answer was cut off");
    }
}
