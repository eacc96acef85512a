using Microsoft.Playwright;
using Mooring.Testing;

namespace Mooring.Web.Tests;

/// <summary>A real Chromium. What the page writes to its console as an error, and every dialog, fails the test.</summary>
[Trait("Peer", "real")]
public abstract class BrowserTest : MooringTest
{
    private const string Chromium = "/usr/bin/chromium";

    private readonly List<string> _complaints = [];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>What the page complained about so far.</summary>
    protected IReadOnlyList<string> Complaints => _complaints;

    protected async Task<IPage> OpenAsync(Uri address, int width = 1280, int height = 800, ColorScheme scheme = ColorScheme.Light)
    {
        _playwright ??= await Playwright.CreateAsync();
        _browser ??= await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-gpu"] });
        var page = await _browser.NewPageAsync(new BrowserNewPageOptions { ViewportSize = new ViewportSize { Width = width, Height = height }, ColorScheme = scheme });
        page.SetDefaultTimeout((float)TimeLimit.TotalMilliseconds);
        page.PageError += (_, error) => _complaints.Add(error);
        page.Dialog += (_, dialog) =>
        {
            _complaints.Add($"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal)) _complaints.Add(message.Text);
        };
        await page.GotoAsync(address.ToString());
        return page;
    }

    /// <summary>Goes to a page of the console as a click would.</summary>
    protected static Task GoAsync(IPage page, string path) => page.EvaluateAsync($"path => {{ location.hash = path; }}", $"#/{path}");

    /// <summary>Waits for what is asserted of it, as long as a wait may take.</summary>
    protected static ILocatorAssertions Look(ILocator locator)
    {
        Assertions.SetDefaultExpectTimeout((float)TimeLimit.TotalMilliseconds);
        return Assertions.Expect(locator);
    }

    protected static Task SeeAsync(IPage page, string text) => Look(page.Locator("main")).ToContainTextAsync(text);

    public override async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        Assert.Empty(_complaints);
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
