using Microsoft.Playwright;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Chat;

/// <summary>The page of the chat in Debian's Chromium, against the program as a person starts it.</summary>
[Trait("Peer", "real")]
public sealed class ChatBrowserTests(Chromium chromium) : MooringTest, IClassFixture<Chromium>
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-chat-").FullName;

    [Fact]
    public async Task Two_with_nc_one_with_a_browser_and_one_with_curl_talk_in_a_room_of_mooring_up()
    {
        await using var chat = await ChatProgram.UpAsync(_folder, TestTimeout);
        await using var anna = chat.Nc("HELLO main:anna");
        await anna.LineAsync("OK HELLO main:anna", TestTimeout);
        await using var ben = chat.Nc("HELLO main:ben");
        await anna.LineAsync("MSG main:server Client ben has joined Chat room main", TestTimeout);

        await ben.Input.WriteLineAsync("SEND main:ben before the page came");
        await anna.LineAsync("MSG main:ben before the page came", TestTimeout);

        var page = await OpenAsync(chat.Url, "main", "carla");
        await anna.LineAsync("MSG main:server Client carla has joined Chat room main", TestTimeout);
        await Assertions.Expect(page.Locator("#messages .message")).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("#messages .message").First).ToContainTextAsync("benbefore the page came");
        await Assertions.Expect(page.Locator("#members li")).ToHaveTextAsync(["anna", "ben", "carla"]);

        await anna.Input.WriteLineAsync("SEND main:anna from nc");
        await Assertions.Expect(page.Locator("#messages .message").Last).ToContainTextAsync("annafrom nc");
        await page.FillAsync("#text", "from the page");
        await page.PressAsync("#text", "Enter");
        await anna.LineAsync("MSG main:carla from the page", TestTimeout);
        await ben.LineAsync("MSG main:carla from the page", TestTimeout);
        await using var curl = ProcessUnderTest.Start("curl",
        [
            "-sS", "-X", "POST", $"{chat.Url}/messages/send", "-H", "Content-Type: application/json",
            "-d", """{"message_data":"from curl","chat_room":"main","client_id":"robot"}""",
        ]);
        await curl.LineAsync("\"clients_notified\":3", TestTimeout);
        await ben.LineAsync("MSG main:robot from curl", TestTimeout);
        await Assertions.Expect(page.Locator("#messages .message").Last).ToContainTextAsync("robotfrom curl");

        await page.FillAsync("#text", "/tell ben for you alone");
        await page.PressAsync("#text", "Enter");
        await ben.LineAsync("MSG FROM main:carla for you alone", TestTimeout);
        await ben.Input.WriteLineAsync("TELL main:ben carla and back");
        await Assertions.Expect(page.Locator("#messages .direct").Last).ToContainTextAsync("ben to youand back");
        Assert.DoesNotContain(anna.Lines, line => line.Contains("for you alone", StringComparison.Ordinal));

        ben.Kill();
        await anna.LineAsync("MSG main:server Client ben has left Chat room main", TestTimeout);
        await Assertions.Expect(page.Locator("#members li")).ToHaveTextAsync(["anna", "carla"]);
    }

    [Fact]
    public async Task Names_messages_and_topics_that_look_like_scripts_stay_text()
    {
        await using var chat = await ChatProgram.StartAsync(TestTimeout);
        await using var mallory = chat.Nc("HELLO main:<img/src=x/onerror=alert(1)>");
        await mallory.LineAsync("OK HELLO", TestTimeout);
        var page = await OpenAsync(chat.Url, "main", "<svg/onload=alert(2)>");
        var dialogs = new List<string>();
        page.Dialog += (_, dialog) =>
        {
            dialogs.Add(dialog.Message);
            _ = dialog.DismissAsync();
        };
        string[] texts =
        [
            "<script>alert(3)</script>", "<img src=x onerror=alert(4)>", "</li></ol><iframe srcdoc='<script>parent.alert(5)</script>'>", "javascript:alert(6)",
            "{\"type\":\"close\",\"reason\":\"quit\"}", "\u202Egnp.exe", "${alert(7)}",
        ];
        foreach (var text in texts) await mallory.Input.WriteLineAsync($"SEND main:<img/src=x/onerror=alert(1)> {text}");
        await Assertions.Expect(page.Locator("#messages .message")).ToHaveCountAsync(texts.Length);
        for (var i = 0; i < texts.Length; i++)
            Assert.EndsWith(texts[i], await page.Locator("#messages .message").Nth(i).TextContentAsync(), StringComparison.Ordinal);
        await Assertions.Expect(page.Locator("#members li").First).ToHaveTextAsync("<img/src=x/onerror=alert(1)>");
        Assert.Equal(0, await page.Locator("main img, main svg, main script, main iframe").CountAsync());
        Assert.Empty(dialogs);
        // Even if a piece of HTML got in, the page's policy would not let it run.
        await page.EvaluateAsync("() => { const s = document.createElement('script'); s.textContent = 'window.hacked = 1'; document.body.append(s); }");
        Assert.False(await page.EvaluateAsync<bool>("() => 'hacked' in window"));
    }

    [Fact]
    public async Task A_page_that_loses_its_connection_comes_back_with_everything_it_missed_once()
    {
        await using var chat = await ChatProgram.StartAsync(TestTimeout);
        await using var anna = chat.Nc("HELLO main:anna");
        await anna.LineAsync("OK HELLO main:anna", TestTimeout);
        var page = await OpenAsync(chat.Url, "main", "carla");
        await anna.Input.WriteLineAsync("SEND main:anna one");
        await Assertions.Expect(page.Locator("#messages .message")).ToHaveCountAsync(1);

        // While the page is away, two messages come.
        await page.Context.SetOfflineAsync(true);
        await page.EvaluateAsync("() => socket.close(4999)");
        await anna.LineAsync("MSG main:server Client carla has left Chat room main", TestTimeout);
        await anna.Input.WriteLineAsync("SEND main:anna two");
        await anna.LineAsync("MSG main:anna two", TestTimeout);
        await anna.Input.WriteLineAsync("SEND main:anna three");
        await anna.LineAsync("MSG main:anna three", TestTimeout);
        await page.Context.SetOfflineAsync(false);
        await Assertions.Expect(page.Locator("#messages .message")).ToHaveCountAsync(3);
        await Assertions.Expect(page.Locator("#state")).ToHaveTextAsync("carla in main");
        await anna.Input.WriteLineAsync("SEND main:anna four");
        await Assertions.Expect(page.Locator("#messages .message")).ToHaveCountAsync(4);
        var texts = await page.Locator("#messages .message").AllTextContentsAsync();
        Assert.Equal(["one", "two", "three", "four"], texts.Select(text => text[(text.IndexOf("anna", StringComparison.Ordinal) + "anna".Length)..]));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<IPage> OpenAsync(string url, string room, string name)
    {
        var page = await chromium.Browser.NewPageAsync();
        page.SetDefaultTimeout((float)TimeLimit.TotalMilliseconds);
        await page.GotoAsync(url);
        await page.FillAsync("#room", room);
        await page.FillAsync("#name", name);
        await page.PressAsync("#name", "Enter");
        await Assertions.Expect(page.Locator("#state")).ToHaveTextAsync($"{name} in {room}");
        return page;
    }
}
