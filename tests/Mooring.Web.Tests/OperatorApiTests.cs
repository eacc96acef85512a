using System.Net;
using System.Text;
using System.Text.Json;
using Mooring.Testing;

namespace Mooring.Web.Tests;

/// <summary>The operator APIs of broker and chat that the console uses, over HTTP, on the running program.</summary>
public sealed class OperatorApiTests : MooringTest
{
    [Fact]
    public async Task WrongRequests_AreRefusedWithTheReason()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout);
        using var http = new HttpClient { BaseAddress = mooring.Console };
        (string Method, string Path, string? Body, HttpStatusCode Status, string Reason)[] cases =
        [
            ("POST", "api/broker/publish", """{"topic":"a/#","text":"x"}""", HttpStatusCode.BadRequest, "is not a topic to publish to"),
            ("POST", "api/broker/publish", """{"topic":"$SYS/x","text":"x"}""", HttpStatusCode.BadRequest, "is not a topic to publish to"),
            ("POST", "api/broker/publish", """{"topic":"a","text":"x","base64":"eA=="}""", HttpStatusCode.BadRequest, "text or base64, not both"),
            ("POST", "api/broker/publish", """{"topic":"a","base64":"?"}""", HttpStatusCode.BadRequest, "is not base64"),
            ("POST", "api/broker/publish", """{"topic":"a","qos":3}""", HttpStatusCode.BadRequest, "use 0, 1 or 2"),
            ("POST", "api/broker/publish", """{"topic":"a","colour":"red"}""", HttpStatusCode.BadRequest, ""),
            ("GET", "api/broker/subscribe?filter=a%23", null, HttpStatusCode.BadRequest, "is not a topic filter"),
            ("GET", "api/broker/retained?filter=", null, HttpStatusCode.BadRequest, "is not a topic filter"),
            ("GET", "api/broker/clients/nobody/subscriptions", null, HttpStatusCode.NotFound, "there is no session 'nobody'"),
            ("DELETE", "api/broker/clients/nobody", null, HttpStatusCode.NotFound, "'nobody' is not connected"),
            ("GET", "api/chat/rooms/nowhere", null, HttpStatusCode.NotFound, "there is no room nowhere"),
            ("POST", "api/chat/rooms", """{"name":"a b"}""", HttpStatusCode.BadRequest, "a room's name is"),
            ("POST", "api/chat/rooms", """{"name":"main"}""", HttpStatusCode.Conflict, "main is always there"),
            ("DELETE", "api/chat/rooms/main", null, HttpStatusCode.Conflict, "main is always there"),
            ("POST", "api/chat/rooms/main/messages", """{"from":"server","text":"x"}""", HttpStatusCode.BadRequest, "from: 'server' is not allowed"),
            ("POST", "api/chat/rooms/main/messages", """{"text":""}""", HttpStatusCode.BadRequest, "use 1 to"),
            ("POST", "api/chat/rooms/main/members/nobody/pause", null, HttpStatusCode.NotFound, "there is no client 'nobody'"),
        ];
        foreach (var (method, path, body, status, reason) in cases)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await http.SendAsync(request, TestTimeout);
            var text = await answer.Content.ReadAsStringAsync(TestTimeout);
            Assert.True(status == answer.StatusCode, $"{method} {path} {body}: {(int)answer.StatusCode} {text}");
            if (reason.Length > 0) Assert.Contains(reason, JsonDocument.Parse(text).RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task NameWithASlash_IsOneName()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout);
        using var http = new HttpClient { BaseAddress = mooring.Console };
        using var body = new StringContent("""{"name":"hall/2"}""", Encoding.UTF8, "application/json");
        (await http.PostAsync(new Uri("api/chat/rooms", UriKind.Relative), body, TestTimeout)).EnsureSuccessStatusCode();
        Assert.Contains("\"name\":\"hall/2\"", await http.GetStringAsync(new Uri("api/chat/rooms/hall%2F2", UriKind.Relative), TestTimeout), StringComparison.Ordinal);
        (await http.DeleteAsync(new Uri("api/chat/rooms/hall%2F2", UriKind.Relative), TestTimeout)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task Subscription_GetsWhatIsPublished_BytesToo()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout);
        using var http = new HttpClient { BaseAddress = mooring.Console };
        await using var stream = await http.GetStreamAsync(new Uri("api/broker/subscribe?filter=plant/%2B", UriKind.Relative), TestTimeout);
        using var reader = new StreamReader(stream);
        Assert.Equal(": subscribed", await reader.ReadLineAsync(TestTimeout));
        foreach (var body in new[] { """{"topic":"plant/a","text":"é","qos":1}""", """{"topic":"plant/b","base64":"/w=="}""" })
            (await http.PostAsync(new Uri("api/broker/publish", UriKind.Relative), new StringContent(body, Encoding.UTF8, "application/json"), TestTimeout)).EnsureSuccessStatusCode();
        var messages = new List<JsonElement>();
        while (messages.Count < 2)
        {
            if (await reader.ReadLineAsync(TestTimeout) is not { Length: > 0 } line || !line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            messages.AddRange(JsonDocument.Parse(line[6..]).RootElement.GetProperty("messages").EnumerateArray());
        }
        Assert.Equal("é", messages[0].GetProperty("text").GetString());
        Assert.Equal("/w==", messages[1].GetProperty("base64").GetString());
    }

    [Fact]
    public async Task SystemThatIsSwitchedOff_IsSaidOnItsPanel_AndTheOthersAreThere()
    {
        await using var mooring = await RunningMooring.StartAsync(TestTimeout, "--without", "chat");
        using var http = new HttpClient { BaseAddress = mooring.Console };
        await using var stream = await http.GetStreamAsync(new Uri("api/events?show=rooms,cars", UriKind.Relative), TestTimeout);
        using var reader = new StreamReader(stream);
        var text = "";
        while (!text.Contains("car_1", StringComparison.Ordinal) || !text.Contains("rooms", StringComparison.Ordinal)) text += await reader.ReadLineAsync(TestTimeout);
        Assert.Contains("the chat is not a part of this process", text, StringComparison.Ordinal);
    }
}
