using System.Net;
using System.Text;
using System.Text.Json;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Observability;

/// <summary>The log of the real program: its format, and its level changed while it runs.</summary>
public sealed class LogLevelTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-log-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Level_of_a_category_is_changed_while_it_runs_and_each_line_is_an_object()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory", "--log-format", "json"));
        using var http = UpRun.Client();
        Assert.Equal("""{"level":"Warning","categories":{}}""", await http.GetStringAsync(new Uri(up.Console + "/api/log-level"), TestTimeout));
        Assert.Equal(
            (HttpStatusCode.OK, """{"level":"Warning","categories":{"Microsoft.AspNetCore.Hosting":"Information"}}"""),
            await PutAsync(http, up, """{"category":"Microsoft.AspNetCore.Hosting","level":"information"}"""));
        await http.GetStringAsync(new Uri(up.Console + "/health/live"), TestTimeout);
        await up.Process.LineAsync("Request starting", TestTimeout);
        using (var line = JsonDocument.Parse(await up.Process.LineAsync("set the log level of", TestTimeout)))
        {
            Assert.Equal(("Warning", 9660), (line.RootElement.GetProperty("LogLevel").GetString(), line.RootElement.GetProperty("EventId").GetInt32()));
            Assert.EndsWith("Z", line.RootElement.GetProperty("Timestamp").GetString(), StringComparison.Ordinal);
        }
        Assert.Equal((HttpStatusCode.OK, """{"level":"Warning","categories":{}}"""), await PutAsync(http, up, """{"category":"Microsoft.AspNetCore.Hosting"}"""));
        Assert.Equal((HttpStatusCode.OK, """{"level":"Debug","categories":{}}"""), await PutAsync(http, up, """{"level":"Debug"}"""));
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    [Fact]
    public async Task Level_that_cannot_be_changes_nothing_and_is_explained()
    {
        var up = Own(await UpRun.StartAsync(_folder, TestTimeout, "--in-memory"));
        using var http = UpRun.Client();
        foreach (var body in new[] { "", "[]", "{}", """{"level":"loud"}""", """{"level":"3"}""", """{"category":"","level":"Debug"}""", """{"level":"Debug","extra":1}""" })
            Assert.Equal(HttpStatusCode.BadRequest, (await PutAsync(http, up, body)).Status);
        Assert.Equal("""{"level":"Warning","categories":{}}""", await http.GetStringAsync(new Uri(up.Console + "/api/log-level"), TestTimeout));
        Assert.Equal(0, await up.StopAsync(TestTimeout));
    }

    private async Task<(HttpStatusCode Status, string Body)> PutAsync(HttpClient http, UpRun up, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.PutAsync(new Uri(up.Console + "/api/log-level"), content, TestTimeout);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestTimeout));
    }
}
