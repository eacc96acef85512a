using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

public sealed class TunnelApiTests
{
    private static string Answer(string status, string body, string headers = "") => $"HTTP/1.1 {status}\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}";

    private static async Task<TunnelApiException> RefusedAsync(string answer)
    {
        await using var server = RawOrigin.Answering(answer, closes: true);
        using var api = new TunnelApi($"127.0.0.1:{server.Port}");
        return await Assert.ThrowsAsync<TunnelApiException>(() => api.RegisterAsync(cancellationToken: TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"auth_token":null}""")]
    [InlineData("""{"auth_token":""}""")]
    [InlineData("no JSON")]
    public async Task Item23_RegistrationWithoutAToken_IsAnError(string body) =>
        Assert.Contains("auth_token", (await RefusedAsync(Answer("200 OK", body))).Detail, StringComparison.Ordinal);

    [Theory]
    [InlineData("400 Bad Request", """{"detail":"no address"}""", 400, "no address")]
    [InlineData("500 Oops", """{"error":"broken"}""", 500, "broken")]
    [InlineData("502 Bad Gateway", "just text", 502, "just text")]
    public async Task Item68_ErrorOfTheApi_HasItsStatusAndTheServersWords(string status, string body, int code, string detail)
    {
        var refused = await RefusedAsync(Answer(status, body));
        Assert.Equal((code, detail, $"API Error {code}: {detail}"), (refused.Status, refused.Detail, refused.Message));
        Assert.False(refused.IsTransient);
    }

    [Fact]
    public async Task Item68_90_RefusalForNow_SaysWhenToTryAgain()
    {
        var refused = await RefusedAsync(Answer("429 Too Many Requests", """{"detail":"later"}""", "Retry-After: 7\r\n"));
        Assert.Equal((true, TimeSpan.FromSeconds(7)), (refused.IsTransient, refused.RetryAfter));
    }

    [Fact]
    public void Item68_Failures_KeepTheirCauseAndCode()
    {
        var cause = new IOException("below");
        var failure = new TunnelException("above", "SOME_CODE", TunnelOutcome.Terminal, cause);
        Assert.Equal(("above", "SOME_CODE", TunnelOutcome.Terminal), (failure.Message, failure.Code, failure.Outcome));
        Assert.Same(cause, failure.InnerException);
        Assert.Equal("", new TunnelException("above", "", TunnelOutcome.Refused).Code);
    }
}
