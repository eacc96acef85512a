using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary>Requests that nobody can read get one line that says what is wrong, from the real program.</summary>
public sealed partial class ProblemProcessTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-problems-").FullName;
    private readonly HttpClient _http = UpRun.Client();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task RequestThatCannotBeRead_IsAnsweredWithOneLine()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory", "--without=tunnel"));
        var deep = new string('[', 100_000);
        (string Method, string Path, string? Body, string Type, int Status, string Detail)[] cases =
        [
            ("POST", "/api/broker/publish", "", "application/json", 400, "a JSON body is needed"),
            ("POST", "/api/broker/publish", "{", "application/json", 400, "the body is not the JSON that is expected here (line 1, byte 2)"),
            ("POST", "/api/broker/publish", """{"topic":7}""", "application/json", 400, "the body is not the JSON that is expected here at $.topic (line 1, byte 11)"),
            ("POST", "/api/broker/publish", deep, "application/json", 400, "the body is not the JSON that is expected here"),
            ("POST", "/api/broker/publish", "topic=a", "text/plain", 415, "the body must be application/json, not 'text/plain"),
            ("GET", "/api/broker/retained?take=many", null, "", 400, "take: 'many' is not what is expected here"),
            ("GET", "/api/nothing", null, "", 404, "there is nothing at '/api/nothing'"),
            ("DELETE", "/api/log-level", null, "", 405, "DELETE is not possible here"),
        ];
        foreach (var (method, path, body, type, status, detail) in cases)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), up.Console + path);
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, type);
            using var answer = await _http.SendAsync(request, TestTimeout);
            var text = await answer.Content.ReadAsStringAsync(TestTimeout);
            Assert.Equal(((HttpStatusCode)status, "application/problem+json"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            Assert.StartsWith(detail, (string?)JsonNode.Parse(text)!["detail"], StringComparison.Ordinal);
        }
    }

    /// <summary>Bodies that are no request of any path.</summary>
    private static readonly string[] s_broken = ["", "{", "[]", "null", "\"x\"", """{"a":1}""", new('[', 100_000), """{"name":null,"text":{},"level":-1,"qos":9,"topic":[]}""", "\u0000"];

    [Fact]
    public async Task EveryPathOfTheApi_AnswersBrokenRequestsWithWords()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory"));
        var paths = JsonNode.Parse(await _http.GetStringAsync(new Uri(up.Console + "/api/openapi.json"), TestTimeout))!["paths"]!.AsObject();
        var wordless = new List<string>();
        var asked = 0;
        foreach (var (path, operations) in paths)
        {
            // Streams without end, and what stops the rest from being asked.
            if (path.EndsWith("/events", StringComparison.Ordinal) || path is "/api/broker/subscribe" or "/admin/v1/drain") continue;
            var address = up.Console + PlaceholderPattern.Replace(path, "no%20such");
            foreach (var (method, _) in operations!.AsObject())
            {
                foreach (var body in method is "post" or "put" or "patch" ? s_broken : [""])
                {
                    using var request = new HttpRequestMessage(new HttpMethod(method.ToUpperInvariant()), address);
                    if (method is "post" or "put" or "patch") request.Content = new StringContent(body, Encoding.UTF8, "application/json");
                    using var answer = await _http.SendAsync(request, TestTimeout);
                    asked++;
                    var text = await answer.Content.ReadAsStringAsync(TestTimeout);
                    if ((int)answer.StatusCode >= 500 || ((int)answer.StatusCode >= 400 && text.Length == 0)) wordless.Add($"{method} {path} {body[..Math.Min(body.Length, 20)]}: {(int)answer.StatusCode}");
                }
            }
        }
        Assert.Empty(wordless);
        Assert.InRange(asked, 200, 2000);
        Assert.DoesNotContain(up.Process.Lines, line => line.Contains("unhandled exception", StringComparison.OrdinalIgnoreCase));
    }

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex PlaceholderPattern { get; }
}
