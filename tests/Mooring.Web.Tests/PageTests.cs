using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Mooring.Testing;

namespace Mooring.Web.Tests;

/// <summary>The static files: small, cached, and under a policy that lets nothing else in.</summary>
public sealed partial class PageTests : MooringTest
{
    private const int WeightMax = 150 * 1024;

    [Fact]
    public async Task WholeConsole_WeighsLessThan150KB_WithoutCompression()
    {
        await using var host = await ConsoleHost.StartAsync(new TestSource());
        using var http = new HttpClient { BaseAddress = host.Address };
        var weight = 0;
        foreach (var page in ConsoleHosting.Pages())
            weight += (await http.GetByteArrayAsync(new Uri(page.Name == "index.html" ? "" : page.Name, UriKind.Relative), TestTimeout)).Length;
        Assert.InRange(weight, 20_000, WeightMax);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task CompressedPage_IsThePage(string coding)
    {
        await using var host = await ConsoleHost.StartAsync(new TestSource());
        using var http = new HttpClient { BaseAddress = host.Address };
        var plain = await http.GetStringAsync(new Uri("app.js", UriKind.Relative), TestTimeout);
        using var request = new HttpRequestMessage(HttpMethod.Get, "app.js") { Headers = { AcceptEncoding = { new StringWithQualityHeaderValue(coding) } } };
        using var answer = await http.SendAsync(request, TestTimeout);
        Assert.Equal(coding, Assert.Single(answer.Content.Headers.ContentEncoding));
        await using var body = await answer.Content.ReadAsStreamAsync(TestTimeout);
        await using Stream unpacked = coding == "br" ? new BrotliStream(body, CompressionMode.Decompress) : new GZipStream(body, CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked, Encoding.UTF8);
        Assert.Equal(plain, await reader.ReadToEndAsync(TestTimeout));
    }

    [Fact]
    public async Task PageThatIsKnown_IsNotSentAgain()
    {
        await using var host = await ConsoleHost.StartAsync(new TestSource());
        using var http = new HttpClient { BaseAddress = host.Address };
        using var first = await http.GetAsync(new Uri("app.css", UriKind.Relative), TestTimeout);
        using var request = new HttpRequestMessage(HttpMethod.Get, "app.css") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using var second = await http.SendAsync(request, TestTimeout);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync(TestTimeout));
    }

    [Fact]
    public async Task Policy_AllowsNothingInlineAndNothingForeign()
    {
        await using var host = await ConsoleHost.StartAsync(new TestSource());
        using var http = new HttpClient { BaseAddress = host.Address };
        using var answer = await http.GetAsync(new Uri("", UriKind.Relative), TestTimeout);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
        var html = await answer.Content.ReadAsStringAsync(TestTimeout);
        Assert.DoesNotMatch(InlineScript(), html);
        Assert.DoesNotContain("://", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Scripts_NeverMakeMarkupOfText() => Assert.DoesNotContain(
        ConsoleHosting.Pages(), page => MarkupSink().IsMatch(Encoding.UTF8.GetString(page.Bytes)));

    [GeneratedRegex(@"<script(?![^>]*\bsrc=)|\son\w+=|<style", RegexOptions.IgnoreCase)]
    private static partial Regex InlineScript();

    [GeneratedRegex(@"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")]
    private static partial Regex MarkupSink();
}
