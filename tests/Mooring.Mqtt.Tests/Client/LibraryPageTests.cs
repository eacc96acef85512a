using System.Text;
using Mooring.Mqtt.Client;
using Mooring.Mqtt.Tests.Broker;
using Mooring.Testing;

namespace Mooring.Mqtt.Tests.Client;

/// <summary>The example of docs/libraries/mqtt-client.md: it is this code, and it runs.</summary>
public sealed class LibraryPageTests : BrokerTest
{
    [Fact]
    public async Task Example_Runs()
    {
        var output = new StringWriter();
        await RunAsync($"mqtt://127.0.0.1:{Address.Port}", output, TestTimeout);
        Assert.Equal("greetings/world: hello", output.ToString().Trim());
    }

    [Fact]
    public void Example_IsTheOneOfThePage()
    {
        var source = File.ReadAllText(RepositoryRoot.Combine("tests", "Mooring.Mqtt.Tests", "Client", "LibraryPageTests.cs"));
        var page = File.ReadAllText(RepositoryRoot.Combine("docs", "libraries", "mqtt-client.md"));
        var code = Between(source, "// The example begins.\n", "        // The example ends.").Replace("\n        ", "\n", StringComparison.Ordinal).Trim();
        Assert.Equal(Between(page, "```csharp\n", "```").Trim(), code);
    }

    private static async Task RunAsync(string address, TextWriter output, CancellationToken cancellationToken)
    {
        // The example begins.
        await using var client = new MqttClient(new MqttClientOptions { Server = new Uri(address) });
        await client.StartAsync(cancellationToken);

        var greeting = new TaskCompletionSource<string>();
        await using var subscription = await client.SubscribeAsync(
            new MqttSubscription("greetings/+"),
            (message, _) =>
            {
                greeting.TrySetResult($"{message.Topic}: {Encoding.UTF8.GetString(message.Payload.Span)}");
                return default;
            },
            cancellationToken);

        await client.PublishAsync(
            new MqttMessage
            {
                Topic = "greetings/world",
                Payload = "hello"u8.ToArray(),
                QualityOfService = QualityOfService.AtLeastOnce,
            },
            cancellationToken);

        await output.WriteLineAsync(await greeting.Task.WaitAsync(cancellationToken));
        await client.StopAsync(drain: TimeSpan.FromSeconds(2));
        // The example ends.
    }

    private static string Between(string text, string start, string end)
    {
        var from = text.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }
}
