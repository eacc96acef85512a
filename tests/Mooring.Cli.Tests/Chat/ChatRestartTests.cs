using System.Text;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Chat;

/// <summary>The real program, stopped and killed, and clients that come back to it.</summary>
[Trait("Peer", "real")]
public sealed class ChatRestartTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-chat-").FullName;

    [Fact]
    public async Task After_an_orderly_stop_a_client_of_mooring_up_gets_exactly_what_it_missed()
    {
        string place;
        await using (var chat = await ChatProgram.UpAsync(_folder, TestTimeout))
        {
            place = await TalkAsync(chat, "one");
            await using var other = chat.Nc("HELLO main:other");
            await other.LineAsync("OK HELLO main:other", TestTimeout);
            await other.Input.WriteLineAsync("SEND main:other two");
            await other.LineAsync("MSG main:other two", TestTimeout);
            chat.Process.Terminate();
            await other.LineAsync("BYE shutdown", TestTimeout);
            other.Input.Close();
            Assert.Equal(0, await chat.Process.ExitAsync(TestTimeout));
        }
        await using var again = await ChatProgram.UpAsync(_folder, TestTimeout);
        await using var back = again.Nc($"HELLO main:anna since={place}");
        await back.LineAsync("MSG main:other two", TestTimeout);
        await back.Input.WriteLineAsync("SEND main:anna three");
        await back.LineAsync("MSG main:anna three", TestTimeout);
        Assert.Equal(["OK HELLO main:anna", "OK HISTORY main:anna", "MSG main:other two", "MSG main:anna three"], back.Lines.Where(line => line.Length > 0));
    }

    [Fact]
    public async Task After_kill_9_history_is_there_and_a_client_is_told_that_something_may_be_missing()
    {
        string place;
        await using (var chat = await ChatProgram.StartAsync(TestTimeout, "--history-store", Path.Combine(_folder, "chat.db")))
        {
            place = await TalkAsync(chat, "kept for ever");
            await WrittenAsync("kept for ever");
            chat.Process.Kill();
            await chat.Process.ExitAsync(TestTimeout);
        }
        await using var again = await ChatProgram.StartAsync(TestTimeout, "--history-store", Path.Combine(_folder, "chat.db"));
        await using var back = again.Nc($"HELLO main:anna since={place}");
        await back.LineAsync("OK HISTORY main:anna truncated", TestTimeout);
        await back.LineAsync("MSG main:anna kept for ever", TestTimeout);
        await back.Input.WriteLineAsync("HISTORY main");
        await back.LineAsync("OK HISTORY main:anna 1", TestTimeout);
    }

    [Fact]
    public async Task A_script_written_for_the_classic_server_works_with_the_classic_format()
    {
        await using var chat = await ChatProgram.StartAsync(TestTimeout, "--wire-format", "classic");
        // One connection for each command, a blank behind every address, no line end: the end of the input is the end of the command.
        await using var alice = chat.Script("NEW dev:alice ");
        await alice.LineAsync("MSG Chatroom dev was successfully created by alice.", TestTimeout);
        await using var bob = chat.Script("JOIN dev:bob ");
        await alice.LineAsync("MSG Client bob has joined Chat room dev", TestTimeout);
        await EndsAsync(chat, "SEND dev:alice hello there");
        await bob.LineAsync("MSG hello there", TestTimeout);
        await EndsAsync(chat, "PAUSE x:bob ");
        await EndsAsync(chat, "SEND dev:alice while bob is away");
        await EndsAsync(chat, "SEND dev:bob and back");
        await alice.LineAsync("MSG and back", TestTimeout);
        await bob.LineAsync("MSG and back", TestTimeout);
        await EndsAsync(chat, "LIST ALL ", "Chat Room List", "-dev", "+Client: alice", "+Status: ACTIVE");
        await EndsAsync(chat, "JOIN nowhere:carl ", "ERROR Chat room nowhere can not be joined because it does not exist.");
        await EndsAsync(chat, "FOO x y", "ERROR: The FOO command is not a valid command, the client connection will be closed");
        await EndsAsync(chat, $"SEND dev:alice {new string('x', 256)}", "Message exceeds maximum length of 255 characters");
        await EndsAsync(chat, "QUIT dev:bob ");
        await alice.LineAsync("MSG Client bob has left Chat room dev", TestTimeout);
        Assert.DoesNotContain(alice.Lines, line => line.StartsWith("OK ", StringComparison.Ordinal));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A client comes, says something and goes; returns the place at which it left.</summary>
    private async Task<string> TalkAsync(ChatProgram chat, string text)
    {
        await using var anna = chat.Nc("CAPS resume acks");
        await anna.Input.WriteLineAsync("HELLO main:anna");
        var hello = await anna.LineAsync("OK HELLO main:anna resume=", TestTimeout);
        await anna.Input.WriteLineAsync($"SEND main:anna {text}");
        await anna.LineAsync($"MSG main:anna {text}", TestTimeout);
        var sequence = (await anna.LineAsync("OK SEND main:anna ", TestTimeout)).Split(' ')[^1];
        await anna.Input.WriteLineAsync("QUIT");
        await anna.LineAsync("BYE quit", TestTimeout);
        var place = hello[(hello.IndexOf("since=", StringComparison.Ordinal) + "since=".Length)..];
        return $"{place[..place.IndexOf(':', StringComparison.Ordinal)]}:{sequence}";
    }

    /// <summary>Waits until a text is in the database's files.</summary>
    private Task WrittenAsync(string text) => Eventually.TrueAsync(() => IsWrittenAsync(Encoding.UTF8.GetBytes(text)), $"'{text}' in the database", TestTimeout);

    private async Task<bool> IsWrittenAsync(byte[] wanted)
    {
        foreach (var path in Directory.EnumerateFiles(_folder))
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[file.Length];
            var read = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, TestTimeout);
            if (bytes.AsSpan(0, read).IndexOf(wanted) >= 0) return true;
        }
        return false;
    }

    /// <summary>A command of a script that waits for the end of its connection.</summary>
    private async Task EndsAsync(ChatProgram chat, string command, params string[] answers)
    {
        await using var script = chat.Script(command);
        Assert.Equal(0, await script.ExitAsync(TestTimeout));
        foreach (var answer in answers) Assert.Contains(script.Lines, line => line.Trim() == answer);
    }
}
