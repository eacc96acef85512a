using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Api;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Protocol;
using Mooring.Fleet.Tests.Servers;
using Mooring.Testing;
using ResponseType = Mooring.Fleet.Protocol.CommandResponse.Types.Type;

namespace Mooring.Fleet.Tests.Api;

/// <summary>The operator's API over HTTP, with cars on the embedded broker behind it.</summary>
public sealed class FleetApiTests : FleetServerTest
{
    private readonly InMemoryTransport _transport = new();
    private HttpClient _http = new();

    private async Task<FleetServer> ServeAsync(FleetOptions options)
    {
        var server = await StartAsync(options);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(server);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IConnectionListenerFactory>(_transport);
        builder.Services.AddFleetApi();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(new InMemoryEndPoint("default")));
        var application = Own(builder.Build());
        application.MapFleetApi();
        await application.StartAsync(TestTimeout);
        _http.Dispose();
        _http = _transport.CreateHttpClient();
        return server;
    }

    private async Task<JsonNode> GetAsync(string path) =>
        (await _http.GetFromJsonAsync<JsonNode>(new Uri(path, UriKind.Relative), TestTimeout))!;

    private async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, string json)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative))
        {
            Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json"),
        };
        using var response = await _http.SendAsync(request, TestTimeout);
        var text = await response.Content.ReadAsStringAsync(TestTimeout);
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    private Task<(HttpStatusCode Status, JsonNode? Body)> CommandAsync(string json) =>
        SendAsync(HttpMethod.Post, "api/fleet/cars/a/commands", json);

    [Fact]
    public async Task Fleet_and_cars_show_state_session_devices_counters_and_history()
    {
        await ServeAsync(Options("a", "b"));
        var gateway = await GatewayAsync("a");
        await ConnectAsync(gateway, "first", DeviceOf("r"));
        await ConnectAsync(gateway, "second", DeviceOf("r"));
        await RoundTripAsync(gateway, "second", 2, DeviceOf("r"));

        var fleet = await GetAsync("api/fleet");
        Assert.Equal(("company", 2), ((string)fleet["company"]!, (int)fleet["cars"]!));
        Assert.Equal(1, (int)fleet["carsByState"]!["Running"]!);

        var running = await GetAsync("api/fleet/cars?state=running");
        Assert.Equal("a", (string)Assert.Single(running.AsArray())!["name"]!);

        var car = await GetAsync("api/fleet/cars/a");
        Assert.Equal(("second", "Running"), ((string)car["car"]!["session"]!, (string)car["car"]!["state"]!));
        Assert.Equal("r", (string)car["devices"]![0]!["role"]!);
        Assert.Equal(1000, (int)car["modules"]![0]!);
        Assert.Equal(3, (int)car["counters"]!["statusesAnswered"]!);
        Assert.Equal("the car connected with another session", (string)car["sessions"]![0]!["reason"]!);
    }

    [Theory]
    [InlineData(0, "delivered")]
    [InlineData(3, "refused")]
    public async Task Command_reaches_the_device_and_its_answer_comes_back(int answer, string result)
    {
        await ServeAsync(Options("a"));
        var gateway = await GatewayAsync("a");
        await ConnectAsync(gateway, "s", DeviceOf("r"));
        await RoundTripAsync(gateway, "s", 2, DeviceOf("r"));
        var sending = CommandAsync("""{ "module": 1000, "type": 0, "role": "r", "base64": "AAEA" }""");
        var command = (await gateway.NextAsync(TestTimeout)).Command;
        Assert.Equal([0, 1, 0], command.DeviceCommand.CommandData.ToByteArray());
        await gateway.SendAsync(new ExternalClient
        {
            CommandResponse = new CommandResponse { SessionId = "s", MessageCounter = command.MessageCounter, Type = (ResponseType)answer },
        });
        var (status, body) = await sending;
        Assert.Equal((HttpStatusCode.OK, result), (status, (string)body!["result"]!));
    }

    [Theory]
    [InlineData("""{ "module": 1000, "role": "nobody" }""", HttpStatusCode.Conflict, "is not connected")]
    [InlineData("""{ "module": 1000 }""", HttpStatusCode.BadRequest, "role: must be given")]
    [InlineData("""{ "module": 1000, "role": "r", "text": "x", "base64": "eA==" }""", HttpStatusCode.BadRequest, "not both")]
    [InlineData("""{ "module": 1000, "role": "r", "base64": "!" }""", HttpStatusCode.BadRequest, "not base64")]
    public async Task Commands_that_cannot_be_sent_are_refused_with_the_reason(string json, HttpStatusCode expected, string why)
    {
        await ServeAsync(Options("a"));
        var (status, body) = await CommandAsync(json);
        Assert.Equal(expected, status);
        Assert.Contains(why, (string)body!["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"module\": \"x\" }")]
    [InlineData("not json")]
    [InlineData("{ \"modul\": 5 }")]
    public async Task Body_that_is_no_command_is_a_bad_request(string json)
    {
        await ServeAsync(Options("a"));
        Assert.Equal(HttpStatusCode.BadRequest, (await CommandAsync(json)).Status);
    }

    [Fact]
    public async Task Car_is_disabled_and_enabled()
    {
        await ServeAsync(Options("a"));
        var gateway = await GatewayAsync("a");
        await ConnectAsync(gateway, "s", DeviceOf("r"));
        var (status, body) = await SendAsync(HttpMethod.Patch, "api/fleet/cars/a", """{ "enabled": false }""");
        Assert.Equal((HttpStatusCode.OK, false), (status, (bool)body!["car"]!["enabled"]!));
        await gateway.NoteAsync(TestTimeout);
        Assert.Equal(HttpStatusCode.Conflict, (await CommandAsync("""{ "module": 1000, "role": "r" }""")).Status);
        await SendAsync(HttpMethod.Patch, "api/fleet/cars/a", """{ "enabled": true }""");
        await ConnectAsync(gateway, "s", DeviceOf("r"));
    }

    [Fact]
    public async Task Unknown_cars_and_states_are_problems_that_say_what_is_allowed()
    {
        await ServeAsync(Options("a"));
        using var car = await _http.GetAsync(new Uri("api/fleet/cars/nobody", UriKind.Relative), TestTimeout);
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (car.StatusCode, car.Content.Headers.ContentType!.MediaType));
        using var state = await _http.GetAsync(new Uri("api/fleet/cars?state=asleep", UriKind.Relative), TestTimeout);
        Assert.Contains("Running", await state.Content.ReadAsStringAsync(TestTimeout), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Patch, "api/fleet/cars/nobody", """{ "enabled": true }""")).Status);
    }

    public override async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await base.DisposeAsync();
    }
}
