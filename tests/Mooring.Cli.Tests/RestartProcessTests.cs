using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Mooring.Cli.Tests.Configuration;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary>One thing is done in each system, the program ends, in order or not, and starts again: everything is where it was.</summary>
public sealed class RestartProcessTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-restart-").FullName;
    private readonly HttpClient _http = UpRun.Client();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task PostAsync(string url, JsonObject body, HttpStatusCode expected)
    {
        using var answer = await _http.PostAsync(new Uri(url), JsonContent.Create(body), TestTimeout);
        Assert.Equal(expected, answer.StatusCode);
    }

    private Task<string> GetAsync(UpRun up, string path) => _http.GetStringAsync(new Uri(up.Console + path), TestTimeout);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Everything_IsWhereItWas(bool inOrder)
    {
        var first = Own(await UpRun.StartAsync(_folder, TestTimeout, "--demo"));
        await PostAsync(first.Console + "/api/broker/publish", new JsonObject { ["topic"] = "yard/gate", ["text"] = "open", ["qos"] = 1, ["retain"] = true }, HttpStatusCode.NoContent);
        await PostAsync(first.Console + "/api/chat/rooms", new JsonObject { ["name"] = "night" }, HttpStatusCode.Created);
        await PostAsync(first.Console + "/api/chat/rooms/night/messages", new JsonObject { ["from"] = "anna", ["text"] = "gate 4 is open" }, HttpStatusCode.OK);
        await PostAsync(first.Console + "/api/orchestrators", new JsonObject { ["id"] = "plant-7" }, HttpStatusCode.OK);
        await PostAsync(first.Console + "/admin/v1/accounts", new JsonObject { ["email"] = "anna@example.org" }, HttpStatusCode.OK);
        if (inOrder) Assert.Equal(0, await first.StopAsync(TestTimeout));
        else
        {
            first.Process.Kill();
            await first.Process.ExitAsync(TestTimeout);
        }

        var second = Own(await UpRun.StartAsync(_folder, TestTimeout, "--demo"));
        Assert.Contains("yard/gate", await GetAsync(second, "/api/broker/retained?filter=yard/%23"), StringComparison.Ordinal);
        Assert.Contains("gate 4 is open", await GetAsync(second, "/api/chat/rooms/night/messages"), StringComparison.Ordinal);
        Assert.Contains("plant-7", await GetAsync(second, "/api/orchestrators"), StringComparison.Ordinal);
        Assert.Contains("anna@example.org", await GetAsync(second, "/admin/v1/accounts"), StringComparison.Ordinal);
        Assert.Equal(0, await second.StopAsync(TestTimeout));
    }
}
