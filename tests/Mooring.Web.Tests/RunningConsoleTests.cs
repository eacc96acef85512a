using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using Mooring.Testing;

namespace Mooring.Web.Tests;

/// <summary>The pages in a browser, on a running <c>mooring up --demo</c>: each shows what happens and does what it offers.</summary>
public sealed class RunningConsoleTests : BrowserTest
{
    [Fact]
    public async Task Overview_ShowsHealthRatesAndEvents()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout, "--demo");
        var page = await OpenAsync(mooring.Console);
        await SeeAsync(page, "all systems ready");
        await Look(page.Locator("[data-system=fleet]")).ToContainTextAsync("5 of 25 cars");
        await Look(page.Locator("[data-system=fleet]")).ToContainTextAsync("10/s statuses");
        await Look(page.Locator("main")).ToContainTextAsync("runs with 2 device(s)");
        await Look(page.Locator("#link")).ToHaveTextAsync("live");
    }

    [Fact]
    public async Task Car_IsSentACommand_DisabledAndEnabled()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout, "--demo");
        var page = await OpenAsync(mooring.Console);
        await GoAsync(page, "cars");
        await page.GetByText("demo_3", new() { Exact = true }).ClickAsync();
        var detail = page.Locator(".detail");
        await Look(detail).ToContainTextAsync("Drive");
        await detail.GetByLabel("Command").FillAsync("{\"speed\": 3}");
        await detail.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();
        await Look(detail.Locator(".form .note")).ToContainTextAsync("delivered");
        await detail.GetByRole(AriaRole.Button, new() { Name = "Disable" }).ClickAsync();
        await Look(detail.Locator(".detail-head .pill")).ToHaveTextAsync("disabled");
        await detail.GetByRole(AriaRole.Button, new() { Name = "Enable" }).ClickAsync();
        await Look(detail.Locator(".detail-head .pill")).ToHaveTextAsync("Running");
        await GoAsync(page, "events");
        await SeeAsync(page, "disabled by an operator");
    }

    [Fact]
    public async Task Chat_ReadsWritesPausesResumesAndCloses()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout);
        var page = await OpenAsync(mooring.Console);
        await GoAsync(page, "chat");
        await page.GetByLabel("Name of a new room").FillAsync("plant");
        await page.GetByRole(AriaRole.Button, new() { Name = "Open" }).ClickAsync();
        await Look(page.Locator(".chat h3")).ToHaveTextAsync("plant");

        using var client = new TcpClient();
        var address = new Uri(mooring.Chat);
        await client.ConnectAsync(address.Host, address.Port, TestTimeout);
        await using var stream = client.GetStream();
        using var lines = new StreamReader(stream, Encoding.UTF8);
        await SendAsync(stream, "JOIN plant:robot");
        await Look(page.Locator(".items").GetByText("robot")).ToBeVisibleAsync();
        await SendAsync(stream, "SEND plant:robot the pallet is ready");
        await Look(page.Locator(".messages")).ToContainTextAsync("the pallet is ready");

        await page.GetByLabel("Message", new() { Exact = true }).FillAsync("thank you");
        await page.GetByLabel("Message", new() { Exact = true }).PressAsync("Enter");
        await LineAsync(lines, "thank you");
        await Look(page.Locator(".messages")).ToContainTextAsync("thank you");

        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Look(page.GetByRole(AriaRole.Button, new() { Name = "Pause" })).ToBeVisibleAsync();

        await page.Locator(".detail-bar").GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Close the room" }).ClickAsync();
        await LineAsync(lines, "plant is closed");
        await Look(page.Locator(".chat h3")).ToHaveTextAsync("main");
    }

    [Fact]
    public async Task Broker_PublishesSubscribesAndShowsTopicsAndRetained()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout, "--demo");
        var page = await OpenAsync(mooring.Console);
        await GoAsync(page, "broker/messages");
        await page.GetByLabel("Topic filter").FillAsync("hall/#");
        await page.GetByRole(AriaRole.Button, new() { Name = "Subscribe" }).ClickAsync();
        await Look(page.Locator(".note", new() { HasText = "subscribed" })).ToBeVisibleAsync();
        await page.GetByLabel("Topic", new() { Exact = true }).Last.FillAsync("hall/line1");
        await page.GetByLabel("Data").Last.FillAsync("21.5");
        await page.GetByText("retain", new() { Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await Look(page.Locator(".messages")).ToContainTextAsync("21.5");
        await GoAsync(page, "broker/retained");
        await SeeAsync(page, "hall/line1");
        await GoAsync(page, "broker/topics");
        await SeeAsync(page, "demo/demo_1/");
        await GoAsync(page, "broker/clients");
        await page.GetByText("virtual-cars-").First.ClickAsync();
        await Look(page.Locator(".detail")).ToContainTextAsync("external_server");
    }

    [Fact]
    public async Task Tunnel_ShowsItsRequests_AndIsClosedFromThePage()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout);
        await using var application = await StartApplicationAsync();
        var port = new Uri(application.Urls.First()).Port;
        await using var client = ProcessUnderTest.Start(
            RunningMooring.Program, ["tunnel", "http", $"{port}", "--server", mooring.Tunnel, "--subdomain", "plant"],
            new Dictionary<string, string?> { ["HOME"] = Directory.CreateTempSubdirectory("mooring-web-").FullName });
        var line = await client.LineAsync("Forwarding http://", TestTimeout);
        var page = await OpenAsync(mooring.Console);
        await GoAsync(page, "tunnels");
        await SeeAsync(page, "plant");
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{new Uri(line.Split(' ')[1]).Port}/state?secret=1") { Headers = { Host = "plant.localhost" } };
        using var answer = await http.SendAsync(request, TestTimeout);
        Assert.Equal("fine", await answer.Content.ReadAsStringAsync(TestTimeout));
        await SeeAsync(page, "/state");
        Assert.DoesNotContain("secret", await page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
        await page.Locator(".list-row").First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Close the tunnel" }).ClickAsync();
        await page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Close the tunnel" }).ClickAsync();
        await GoAsync(page, "events");
        await SeeAsync(page, "tunnel_closed");
    }

    [Fact]
    public async Task Agent_GetsARuntime_IsCalledThroughIt_AndLosesIt()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout);
        await using (var enrol = ProcessUnderTest.Start(RunningMooring.Program, ["hub", "enroll", "line-4", "--data", mooring.Folder], folder: mooring.Folder))
            Assert.Equal(0, await enrol.ExitAsync(TestTimeout));
        var files = Path.Combine(mooring.Folder, "line-4");
        var setup = new JsonObject
        {
            ["url"] = mooring.Hub.ToString(),
            ["id"] = "line-4",
            ["beat"] = 200,
            ["tls"] = new JsonObject { ["cert"] = $"{files}/client.crt", ["key"] = $"{files}/client.key", ["ca"] = $"{files}/ca.crt" },
        };
        await using var agent = ProcessUnderTest.Start(NodePeer.Start("edge-agent.cjs", setup.ToJsonString()));
        await agent.LineAsync("heartbeat_ack", TestTimeout);
        var page = await OpenAsync(mooring.Console);
        await GoAsync(page, "agents");
        await SeeAsync(page, "1 agent, 1 online");
        await SeeAsync(page, "43 %");
        await page.GetByText("line-4").First.ClickAsync();
        var detail = page.Locator(".detail");
        await detail.GetByLabel("Name", new() { Exact = true }).Last.FillAsync("plc-1");
        await detail.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        var runtime = detail.Locator(".runtime");
        await Look(runtime.Locator(".pill")).ToHaveTextAsync("running");
        await Look(detail.Locator(".items")).ToContainTextAsync("succeeded");
        await runtime.GetByText("Call its REST API").ClickAsync();
        await runtime.GetByLabel("Path").FillAsync("api/status");
        await runtime.GetByRole(AriaRole.Button, new() { Name = "Call" }).ClickAsync();
        await Look(runtime.Locator("pre")).ToContainTextAsync("\"status_code\": 200");
        await runtime.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.Locator("dialog").GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Look(detail.Locator(".items")).ToContainTextAsync("delete_device");
    }

    [Fact]
    public async Task WhoIsNotLoggedIn_IsAskedFirst_AndAViewerMayOnlyLook()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout, "--demo", "--http-login");
        await using (var add = ProcessUnderTest.Start(RunningMooring.Program, ["user", "add", "ann", "--role", "viewer", "--data", mooring.Folder]))
        {
            await add.Input.WriteLineAsync("correct horse battery");
            add.Input.Close();
            Assert.Equal(0, await add.ExitAsync(TestTimeout));
        }
        var page = await OpenAsync(mooring.Console);
        await page.Locator("input[name=name]").FillAsync("ann");
        await page.Locator("input[name=password]").FillAsync("correct horse battery");
        await page.Keyboard.PressAsync("Enter");
        await SeeAsync(page, "all systems ready");
        await GoAsync(page, "cars/demo_1");
        await page.Locator(".detail").GetByRole(AriaRole.Button, new() { Name = "Disable" }).ClickAsync();
        await Look(page.Locator(".toast.bad")).ToContainTextAsync("operator");
        await page.GetByRole(AriaRole.Button, new() { Name = "Log out" }).ClickAsync();
        await Look(page.Locator("input[name=password]")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task EveryPage_HasAScreenshot_InBothThemesAndOnANarrowScreen()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout, "--demo");
        var folder = Directory.CreateDirectory(Path.Combine(RepositoryRoot.Path, "artifacts", "screenshots")).FullName;
        var page = await OpenAsync(mooring.Console, scheme: ColorScheme.Dark);
        foreach (var path in new[] { "", "cars/demo_1", "agents", "tunnels", "chat", "broker", "events" })
        {
            await GoAsync(page, path);
            await Look(page.Locator("main h1")).ToBeVisibleAsync();
            var name = path.Split('/')[0] is { Length: > 0 } first ? first : "overview";
            await page.SetViewportSizeAsync(1280, 800);
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png") });
            await page.SetViewportSizeAsync(390, 780);
            Assert.Equal(390, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-narrow.png") });
        }
        await page.Keyboard.PressAsync("t");
        Assert.Equal("light", await page.EvaluateAsync<string>("() => document.documentElement.dataset.theme"));
    }

    [Fact]
    public async Task Keys_LeadThroughThePages()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout, "--demo");
        var page = await OpenAsync(mooring.Console);
        await SeeAsync(page, "Overview");
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("c");
        await Look(page.Locator("main h1")).ToHaveTextAsync("Cars");
        await SeeAsync(page, "demo_2");
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("demo_2");
        await Look(page.Locator(".list-row:visible")).ToHaveCountAsync(1);
        await page.Locator(".list-body").FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Enter");
        await Look(page.Locator(".detail h3")).ToHaveTextAsync("demo_2");
        await page.Keyboard.PressAsync("Escape");
        await Look(page.Locator(".detail")).ToHaveCountAsync(0);
        await page.Keyboard.PressAsync("?");
        await Look(page.Locator("#help")).ToBeVisibleAsync();
    }

    private Task SendAsync(NetworkStream stream, string line) => stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), TestTimeout).AsTask();

    private async Task LineAsync(StreamReader lines, string contains)
    {
        while (await lines.ReadLineAsync(TestTimeout) is { } line)
            if (line.Contains(contains, StringComparison.Ordinal)) return;
        Assert.Fail($"the connection ended before '{contains}'");
    }

    private static async Task<WebApplication> StartApplicationAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        RequestDelegate answer = context => context.Response.WriteAsync("fine", context.RequestAborted);
        application.Map("/{**path}", answer);
        await application.StartAsync();
        return application;
    }
}
