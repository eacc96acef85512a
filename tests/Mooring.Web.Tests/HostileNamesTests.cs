using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Mooring.Kernel.Events;

namespace Mooring.Web.Tests;

/// <summary>Names from the outside that want to become markup or script: they are shown as they are, and nothing else happens.</summary>
public sealed class HostileNamesTests : BrowserTest
{
    private const string Script = "<img src=x onerror=\"window.pwned=1\">";

    public static TheoryData<string> Names =>
    [
        Script, "<script>window.pwned=1</script>", "\"><svg onload=window.pwned=1>", "javascript:window.pwned=1", "'-window.pwned-'", "${window.pwned=1}",
        "{{constructor.constructor('window.pwned=1')()}}", "\u202egnp.exe\u0000\u2028<b>", "__proto__",
    ];

    [Theory, MemberData(nameof(Names))]
    public async Task HostileName_IsShownAsText_OnEveryPage(string name)
    {
        var now = DateTimeOffset.UnixEpoch;
        var events = new OperatorEvents(TimeProvider.System);
        foreach (var severity in Enum.GetValues<EventSeverity>()) events.Publish("fleet", name, name, severity, name);
        var source = new TestSource
        {
            Events = events,
            SystemsNow = () => [new("fleet", name), new("hub", name), new("chat", name), new("tunnel", name), new("mqtt", name)],
            FiguresNow = () => [new("cars", 1), new("cars.failed", 1), new(name, 1)],
            CarsNow = () => [new(name, true, "Error") { Session = name, Problem = name }],
            AgentsNow = () => [new(name, name, "online") { Version = name }],
            OperationsNow = () => [new(1, name, name, name, "failed", name, name, now, now)],
            TunnelsNow = () => [new(name, name, "http", name, name, now, 1, 1)],
            RequestsNow = () => [new(1, now, name, name, name, 200, 1, name, 1)],
            RoomsNow = () => [new(name, name, 1, 0, false, 1), new("main", name, 1, 0, false, 1)],
            ClientsNow = () => [new(name, name, name, "connected", 1, 0, 0, 0)],
        };
        await using var host = await ConsoleHost.StartAsync(source, map: routes => Answer(routes, name));
        var page = await OpenAsync(host.Address);
        var path = Uri.EscapeDataString(name);
        foreach (var place in new[] { "", "cars", "agents", "tunnels", $"tunnels/{path}", "broker", "events" })
        {
            await GoAsync(page, place);
            await Look(page.Locator("main h1")).ToBeVisibleAsync();
        }
        foreach (var place in new[] { $"cars/{path}", $"agents/{path}", "chat", $"chat/{path}", $"broker/clients/{path}", "broker/retained", "broker/topics" })
        {
            await page.RunAndWaitForResponseAsync(() => GoAsync(page, place), answer => answer.Url.Contains("/api/", StringComparison.Ordinal) && !answer.Url.Contains("events", StringComparison.Ordinal));
            // Two frames: what was answered is shown by then.
            await page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        }
        await GoAsync(page, $"broker/messages/{path}");
        await Look(page.Locator(".messages .message").First).ToBeAttachedAsync();
        await GoAsync(page, "events");
        if (name != "__proto__" && !name.Contains('\u202e', StringComparison.Ordinal)) await SeeAsync(page, name);
        Assert.False(await page.EvaluateAsync<bool>("() => 'pwned' in window"));
        Assert.Equal(0, await page.Locator("main img, main svg, main script, main b:has(> b)").CountAsync());
    }

    /// <summary>What the slices' APIs would answer, with the name in every place.</summary>
    private static void Answer(Microsoft.AspNetCore.Routing.IEndpointRouteBuilder routes, string name)
    {
        var text = System.Text.Json.JsonEncodedText.Encode(name);
        RequestDelegate Json(string json) => context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(json.Replace("NAME", text.ToString(), StringComparison.Ordinal), context.RequestAborted);
        };
        routes.MapGet("/api/fleet/cars/{car}", Json("""
            {"car":{"name":"NAME","session":"NAME","lastError":"NAME"},"devices":[{"module":1,"type":1,"role":"NAME","name":"NAME"}],"modules":[1],
            "counters":{"sessions":1,"sessionsFailed":0,"statusesReceived":1,"statusesIgnored":0,"commandsSent":0,"commandsUndelivered":0,"messagesRefused":0,"messagesDropped":0},
            "outstandingCommands":0,"sessions":[{"session":"NAME","since":"NAME","until":"NAME","reason":"NAME"}]}
            """));
        routes.MapGet("/api/orchestrators/{agent}/history", Json("[]"));
        routes.MapGet("/api/orchestrators/{agent}/devices", Json("""[{"deviceId":"NAME"}]"""));
        routes.MapGet("/api/orchestrators/{agent}/devices/{device}", Json("""{"container_status":"NAME","internal_ip":"NAME","message":"NAME","step":"NAME"}"""));
        routes.MapGet("/api/chat/rooms/{room}", Json("""{"name":"NAME","members":[{"client":"NAME","status":"NAME","transport":"NAME","address":"NAME","missed":0}]}"""));
        routes.MapGet("/api/chat/rooms/{room}/messages", Json("""{"messages":[{"number":1,"at":"NAME","from":"NAME","text":"NAME"}],"last":1}"""));
        routes.MapGet("/api/broker/clients/{client}/subscriptions", Json("""[{"filter":"NAME","qos":0}]"""));
        routes.MapGet("/api/broker/retained", Json("""[{"topic":"NAME","text":"NAME","bytes":1,"qos":0}]"""));
        routes.MapGet("/api/broker/topics", Json("""{"topics":[{"topic":"NAME","messages":1,"bytes":1,"rate":1,"lastAt":"NAME"}],"known":1,"otherMessages":0}"""));
        RequestDelegate subscribe = async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($$"""data: {"messages":[{"topic":"{{text}}","text":"{{text}}","bytes":1,"qos":0}],"dropped":0}""" + "\n\n", context.RequestAborted);
        };
        routes.MapGet("/api/broker/subscribe", subscribe);
    }
}
