using Mooring.Web.Readings;

namespace Mooring.Web.Tests;

/// <summary>Ten thousand cars and five thousand agents: only rows in sight exist.</summary>
public sealed class LargeListTests : BrowserTest
{
    private const int RowsMax = 120;

    [Fact]
    public async Task TenThousandCars_AreAListOfAFewRows_ThatFollowsEveryChange()
    {
        var turn = 0;
        var source = new TestSource
        {
            CarsNow = () =>
            {
                var now = Interlocked.Increment(ref turn);
                return Enumerable.Range(1, 10_000).Select(i => new CarReading($"car_{i}", true, (i + now) % 50 == 0 ? "Connected" : "Running") { Session = $"s{i}", Devices = 2, Statuses = now * i });
            },
        };
        await using var host = await ConsoleHost.StartAsync(source);
        var page = await OpenAsync(host.Address);
        await GoAsync(page, "cars");
        await SeeAsync(page, "10,000 cars");
        Assert.InRange(await page.Locator(".list-row").CountAsync(), 10, RowsMax);
        await page.Locator(".list-body").FocusAsync();
        await page.Keyboard.PressAsync("End");
        await Look(page.GetByText("car_10000", new() { Exact = true })).ToBeVisibleAsync();
        Assert.InRange(await page.Locator(".list-row").CountAsync(), 10, RowsMax);
        await page.GetByLabel("Search cars").FillAsync("car_777");
        await Look(page.Locator(".list-row:visible")).ToHaveCountAsync(11);
        await page.GetByRole(Microsoft.Playwright.AriaRole.Columnheader, new() { Name = "Statuses/s" }).ClickAsync();
        await Look(page.Locator(".list-row:visible").First).ToContainTextAsync("car_777");
    }

    [Fact]
    public async Task FiveThousandAgents_AreAListOfAFewRows()
    {
        var source = new TestSource
        {
            AgentsNow = () => Enumerable.Range(1, 5_000).Select(i => new AgentReading($"agent-{i}", $"Plant {i}", i % 9 == 0 ? "offline" : "online")
            {
                Cpu = i % 100, Memory = i % 16, MemoryTotal = 16, Disk = i % 200, DiskTotal = 256, Version = "1.0.0",
            }),
        };
        await using var host = await ConsoleHost.StartAsync(source);
        var page = await OpenAsync(host.Address);
        await GoAsync(page, "agents");
        await SeeAsync(page, "5,000 agents, 4,445 online");
        Assert.InRange(await page.Locator(".list-row").CountAsync(), 10, RowsMax);
        await page.Locator(".list-body").EvaluateAsync("list => { list.scrollTop = list.scrollHeight; }");
        await Look(page.GetByText("Plant 5000")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task FailingSystem_GreysItsOwnPanelOnly()
    {
        var source = new TestSource { AgentsNow = () => throw new InvalidOperationException("the hub is away"), CarsNow = () => [new("car_1", true, "Running")] };
        await using var host = await ConsoleHost.StartAsync(source);
        var page = await OpenAsync(host.Address);
        await GoAsync(page, "agents");
        await SeeAsync(page, "the hub is away");
        await Look(page.Locator(".grey")).ToHaveCountAsync(1);
        await GoAsync(page, "cars");
        await SeeAsync(page, "car_1");
        await Look(page.Locator(".grey")).ToHaveCountAsync(0);
    }
}
