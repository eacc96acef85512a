using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Edge.Agent.Topics;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.RuntimeCalls;

/// <summary>Calls of a runtime's REST API, against a real HTTP server on loopback.</summary>
public sealed class RuntimeCallTests : MooringTest
{
    private readonly RuntimeCaller _caller = new(new AgentOptions { MaxCommandAnswerBytes = 100_000, MaxCommandsPerDevice = 2 }, TimeProvider.System);
    private WebApplication? _runtime;

    [Fact]
    public async Task Get_WithQueryAndHeaders_AnswersParsedJson()
    {
        var answer = await CallAsync("""{"method":"GET","api":"/echo","params":{"a":"x y","b":[1,2]},"headers":{"Authorization":"Bearer t"}}""");
        Assert.Equal("success", (string?)answer["status"]);
        var body = answer["http_response"]!["body"]!;
        Assert.Equal("?a=x%20y&b=1&b=2", (string?)body["query"]);
        Assert.Equal("Bearer t", (string?)body["authorization"]);
        Assert.Equal("application/json", (string?)answer["http_response"]!["content_type"]);
        Assert.True((bool)answer["http_response"]!["ok"]!);
    }

    [Theory]
    [InlineData("""{"method":"POST","api":"echo","data":{"user":"a"}}""", "application/json", """{"user":"a"}""")]
    [InlineData("""{"method":"PUT","api":"echo","data":{"user":"a b"},"headers":{"content-type":"application/x-www-form-urlencoded"}}""", "application/x-www-form-urlencoded", "user=a+b")]
    [InlineData("""{"method":"POST","api":"echo","data":"raw text","headers":{"Content-Type":"text/plain"}}""", "text/plain", "raw text")]
    [InlineData("""{"method":"POST","api":"echo","data_base64":"AAEC"}""", "application/octet-stream", "\0\u0001\u0002")]
    public async Task Body_IsWhatItsTypeSays(string message, string type, string body)
    {
        var echoed = (await CallAsync(message))["http_response"]!["body"]!;
        Assert.Equal((type, body), ((string?)echoed["type"], (string?)echoed["body"]));
    }

    [Fact]
    public async Task D28_FilesAndData_GoTogether_AndEmptyFilesAreLeftOut()
    {
        var content = Convert.ToBase64String("zip"u8);
        var answer = await CallAsync($$$$"""
            {"method":"POST","api":"form","data":{"clean":"1"},"files":{"file":{"filename":"p \"1\".zip","content_base64":"{{{{content}}}}"},"none":{"content_base64":""}}}
            """);
        var body = answer["http_response"]!["body"]!;
        Assert.Equal("clean=1", (string?)body["fields"]);
        Assert.Equal("file:p %221%22.zip:zip", (string?)body["files"]);
    }

    [Fact]
    public async Task ErrorsOfTheRuntime_PassThrough()
    {
        var answer = await CallAsync("""{"method":"GET","api":"status/404"}""");
        Assert.Equal("error", (string?)answer["status"]);
        Assert.Equal(404, (int)answer["http_response"]!["status_code"]!);
        Assert.Equal("not here", (string?)answer["http_response"]!["body"]);
    }

    [Fact]
    public async Task D28_Redirects_AreAnsweredAndNotFollowed()
    {
        var answer = await CallAsync("""{"method":"GET","api":"away"}""");
        Assert.Equal(302, (int)answer["http_response"]!["status_code"]!);
    }

    [Fact]
    public async Task D28_Bytes_ComeAsBase64()
    {
        var answer = await CallAsync("""{"method":"GET","api":"bytes"}""");
        Assert.Equal(("base64", "AP8A"), ((string?)answer["http_response"]!["body_encoding"], (string?)answer["http_response"]!["body"]));
    }

    [Fact]
    public async Task AnswerOverTheLimit_HasNoBody_AndSaysSo()
    {
        foreach (var api in new[] { "long", "long?chunked" })
        {
            var answer = await CallAsync($$"""{"method":"GET","api":"{{api}}"}""");
            Assert.Equal("error", (string?)answer["status"]);
            Assert.True((bool)answer["http_response"]!["body_truncated"]!);
            Assert.Null(answer["http_response"]!["body"]);
        }
    }

    [Fact]
    public async Task D28_SilentRuntime_Is504AfterTheTimeout()
    {
        var answer = await CallAsync("""{"method":"GET","api":"silent","timeout":0.2}""");
        Assert.Equal(504, (int)answer["http_response"]!["status_code"]!);
    }

    [Fact]
    public async Task NobodyThere_Is500WithTheReason()
    {
        var call = Read("""{"method":"GET","api":"x","port":1}""");
        var answer = await _caller.CallAsync("plc", "127.0.0.1", call, TestTimeout);
        Assert.Equal(500, (int)answer["http_response"]!["status_code"]!);
        Assert.NotEmpty((string)answer["http_response"]!["body"]!["error"]!);
    }

    [Fact]
    public async Task Port8443_IsHttps_WithACertificateThatTheRuntimeMadeItself_EveryOtherPortIsHttp()
    {
        // A network of one's own on this machine: the port is given.
        var address = new IPAddress([127, (byte)Random.Shared.Next(1, 255), (byte)Random.Shared.Next(0, 255), (byte)Random.Shared.Next(2, 255)]);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=openplc", key, HashAlgorithmName.SHA256).CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(options =>
        {
            options.Listen(address, RuntimeCall.SecurePort, endpoint => endpoint.UseHttps(certificate));
            options.Listen(address, 0);
        });
        await using var runtime = builder.Build();
        runtime.Run(context => context.Response.WriteAsync(context.Request.Scheme));
        await runtime.StartAsync(TestTimeout);
        Assert.Equal("https", await SchemeAsync(Read("""{"method":"GET","api":"x"}""")));
        var plain = runtime.Urls.Select(url => new Uri(url)).Single(url => url.Scheme == "http");
        Assert.Equal("http", await SchemeAsync(Read("""{"method":"GET","api":"x"}""", plain.Port)));

        async Task<string?> SchemeAsync(RuntimeCall call) => (string?)(await _caller.CallAsync("plc", address.ToString(), call, TestTimeout))["http_response"]!["body"];
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("get")]
    public async Task OtherMethods_Are400(string method) =>
        Assert.Equal(400, (int)(await CallAsync($$"""{"method":"{{method}}","api":"echo"}"""))["http_response"]!["status_code"]!);

    [Fact]
    public async Task MoreCallsThanAllowed_Are429_AndOthersGoOn()
    {
        var slow = Enumerable.Range(0, 2).Select(_ => CallAsync("""{"method":"GET","api":"silent","timeout":5}""")).ToList();
        await SilentCallsAsync(2);
        Assert.Equal(429, (int)(await CallAsync("""{"method":"GET","api":"echo"}"""))["http_response"]!["status_code"]!);
        Assert.Equal("success", (string?)(await CallAsync("""{"method":"GET","api":"echo"}""", device: "other"))["status"]);
        _released.SetResult();
        await Task.WhenAll(slow);
        Assert.Equal("success", (string?)(await CallAsync("""{"method":"GET","api":"echo"}"""))["status"]);
    }

    [Theory]
    [InlineData("""{"method":"GET","api":"http://elsewhere/"}""", "without scheme")]
    [InlineData("""{"method":"GET","api":"a/../../b"}""", "..")]
    [InlineData("""{"method":"GET","api":"a/%2e%2e/b"}""", "..")]
    [InlineData("""{"method":"GET","api":"a\r\nHost: x"}""", "control characters")]
    [InlineData("""{"method":"GET","api":"a","headers":{"X":"1\r\nY: 2"}}""", "line ends")]
    [InlineData("""{"method":"GET","api":"a","headers":{"X Y":"1"}}""", "not the name of a header")]
    [InlineData("""{"method":"GET","api":"a","port":0}""", "not a port")]
    [InlineData("""{"method":"GET","api":"a","port":65536}""", "not a port")]
    [InlineData("""{"method":"GET","api":"a","timeout":301}""", "at most 300")]
    [InlineData("""{"method":"POST","api":"a","files":{"f":{"content_base64":"%"}}}""", "not base64")]
    [InlineData("""{"method":"POST","api":"a","files":{"f":"x"}}""", "must be an object")]
    public void D28_CallThatLeavesTheDevice_OrIsBroken_IsRefused(string message, string reason)
    {
        using var document = JsonDocument.Parse(message);
        Assert.False(RuntimeCall.TryRead(new TopicRequest(document.RootElement), out _, out var error));
        Assert.Contains(reason, error);
    }

    [Theory]
    [InlineData("""{"method":"GET","api":"a"}""", 8443, 30)]
    [InlineData("""{"method":"GET","api":"a","port":null}""", 8443, 30)]
    [InlineData("""{"method":"GET","api":"a","port":80,"timeout":12}""", 80, 12)]
    [InlineData("""{"method":"POST","api":"a","files":{"f":{"content_base64":"AA=="}}}""", 8443, 120)]
    public void Defaults_AreThoseOfTheWire(string message, int port, int seconds)
    {
        var call = Read(message, port: null);
        Assert.Equal((port, TimeSpan.FromSeconds(seconds)), (call.Port, call.Timeout));
    }

    public override async ValueTask DisposeAsync()
    {
        _released.TrySetResult();
        _caller.Dispose();
        if (_runtime is not null) await _runtime.DisposeAsync();
        await base.DisposeAsync();
    }

    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _silent = new(0);

    private async Task SilentCallsAsync(int count)
    {
        for (var i = 0; i < count; i++) await _silent.WaitAsync(TestTimeout);
    }

    private static RuntimeCall Read(string message, int? port = null)
    {
        using var document = JsonDocument.Parse(message);
        Assert.True(RuntimeCall.TryRead(new TopicRequest(document.RootElement.Clone()), out var call, out var error), error);
        return port is { } number ? call with { Port = number } : call;
    }

    private async Task<JsonObject> CallAsync(string message, string device = "plc")
    {
        var call = Read(message, await PortAsync());
        var answer = await _caller.CallAsync(device, "127.0.0.1", call, TestTimeout);
        return JsonNode.Parse(answer.ToJsonString())!.AsObject();
    }

    private async Task<int> PortAsync()
    {
        if (_runtime is null)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
            var runtime = builder.Build();
            runtime.Map("/echo", EchoAsync);
            runtime.Map("/form", FormAsync);
            runtime.Map("/status/404", context => Write(context, 404, "not here"));
            runtime.Map("/away", context => { context.Response.Redirect("/echo"); return Task.CompletedTask; });
            runtime.Map("/bytes", async context =>
            {
                context.Response.ContentType = "application/zip";
                await context.Response.Body.WriteAsync(new byte[] { 0, 255, 0 });
            });
            runtime.Map("/long", async context =>
            {
                if (!context.Request.QueryString.HasValue) context.Response.ContentLength = 100_001;
                await context.Response.Body.WriteAsync(new byte[100_001]);
            });
            runtime.Map("/silent", async context =>
            {
                _silent.Release();
                await _released.Task.WaitAsync(context.RequestAborted);
            });
            await runtime.StartAsync(TestTimeout);
            _runtime = runtime;
        }
        return new Uri(_runtime.Urls.First()).Port;
    }

    private static Task Write(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(text);
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var echo = new JsonObject
        {
            ["query"] = context.Request.QueryString.Value, ["authorization"] = context.Request.Headers.Authorization.ToString(),
            ["type"] = context.Request.ContentType, ["body"] = await reader.ReadToEndAsync(),
        };
        await context.Response.WriteAsync(echo.ToJsonString());
    }

    private static async Task FormAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var files = new List<string>();
        foreach (var file in form.Files)
        {
            using var reader = new StreamReader(file.OpenReadStream());
            files.Add($"{file.Name}:{file.FileName}:{await reader.ReadToEndAsync()}");
        }
        await context.Response.WriteAsync(new JsonObject
        {
            ["fields"] = string.Join('&', form.Select(f => $"{f.Key}={f.Value}")), ["files"] = string.Join(',', files),
        }.ToJsonString());
    }
}
