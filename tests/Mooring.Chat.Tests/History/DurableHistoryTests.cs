using Mooring.Chat.Configuration;
using Mooring.Storage;
using Mooring.Testing;

namespace Mooring.Chat.Tests.History;

/// <summary>History that outlives the process.</summary>
public sealed class DurableHistoryTests : ChatTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("chat-").FullName;

    private ChatOptions Durable => Standard with { HistoryStore = Path.Combine(_folder, "deep", "chat.db"), Limits = new ChatLimits { HistorySize = 5 } };

    [Fact]
    public async Task A_restart_keeps_rooms_history_and_sequence_numbers()
    {
        var first = await StartAsync(Durable);
        var a = await JoinAsync(first, "a");
        await a.SayAsync("NEW dev:a", "OK NEW dev:a", "MSG dev:server Chatroom dev was successfully created by a.");
        await a.SayAsync("TOPIC dev:a plans", "OK TOPIC dev:a plans");
        for (var i = 1; i <= 8; i++) await a.SayAsync($"SEND dev:a {i}", $"MSG dev:a {i}");
        var epoch = first.Hub.Epoch;
        await StopAsync(first, a);

        var second = await StartAsync(Durable);
        Assert.Equal(epoch, second.Hub.Epoch);
        var b = await ConnectAsync(second);
        await b.SayAsync($"JOIN dev:b since={epoch:x16}:6", "OK JOIN dev:b", "OK HISTORY dev:b", "MSG dev:a 7", "MSG dev:a 8");
        await b.SayAsync("HISTORY dev", "MSG dev:a 4", "MSG dev:a 5", "MSG dev:a 6", "MSG dev:a 7", "MSG dev:a 8", "OK HISTORY dev:b 5");
        await b.SayAsync("TOPIC dev:b", "OK TOPIC dev:b plans");
        await b.SayAsync("CAPS acks", "OK CAPS *:b acks");
        await b.SayAsync("SEND dev:b 9", "MSG dev:b 9", "OK SEND dev:b 9");
        await b.SayAsync("LIST", "LIST ROOM main 0", "LIST ROOM dev 1", "LIST END CHAT_ROOMS 2");
        await StopAsync(second, b);
    }

    [Fact]
    public async Task After_a_crash_another_epoch_says_that_something_may_be_missing()
    {
        var first = await StartAsync(Durable);
        var a = await JoinAsync(first, "a");
        await a.SayAsync("SEND main:a kept", "MSG main:a kept");
        var store = Durable.HistoryStore!;
        await Eventually.TrueAsync(() => IsWrittenAsync(store), "the message in the database", TestTimeout);
        // The files as a crash leaves them.
        var copy = Path.Combine(_folder, "crashed.db");
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(store)!)) File.Copy(file, copy + Path.GetFileName(file)["chat.db".Length..]);
        var second = await StartAsync(Durable with { HistoryStore = copy });
        Assert.NotEqual(first.Hub.Epoch, second.Hub.Epoch);
        var b = await ConnectAsync(second);
        await b.SayAsync($"HELLO main:b since={first.Hub.Epoch:x16}:1", "OK HELLO main:b", "OK HISTORY main:b truncated", "MSG main:a kept");
        await StopAsync(second, b);
        await StopAsync(first, a);
    }

    [Fact]
    public async Task A_database_that_cannot_be_used_is_told_in_one_line()
    {
        var path = Path.Combine(_folder, "text.db");
        await File.WriteAllTextAsync(path, new string('x', 5000), TestTimeout);
        var server = new ChatServer(Standard with { HistoryStore = path }, LoggerFactory, TimeProvider.System);
        var exception = await Assert.ThrowsAnyAsync<IOException>(() => server.StartAsync(TestTimeout));
        Assert.StartsWith("history_store: ", exception.Message, StringComparison.Ordinal);
    }

    private async Task<bool> IsWrittenAsync(string store)
    {
        await using var database = await Database.OpenAsync(new StorageOptions { Database = store }, TestTimeout);
        return await database.ReadAsync((session, cancellation) => session.NumberAsync("SELECT COUNT(*) FROM chat_messages", cancellationToken: cancellation), TestTimeout) > 0;
    }

    private static async Task StopAsync(ChatServer server, LineConnection client)
    {
        var stop = server.StopAsync();
        await client.ReadToEndAsync();
        await client.DisposeAsync();
        await stop;
    }
}
