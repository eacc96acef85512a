using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary>Requests that nobody can read get one line that says what is wrong, from the real program.</summary>
public sealed class ProblemProcessTests : MooringTest
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
}
