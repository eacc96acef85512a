using System.Text;
using Mooring.Chat.Configuration;

namespace Mooring.Chat.Tests.Lines;

/// <summary>Framing, encoding and names of the line protocol, as a client sees them. Names begin with the item of the checklist.</summary>
public sealed class LineProtocolTests : ChatTest
{
    [Fact]
    public async Task Transcript_of_the_document_is_what_clients_see()
    {
        var server = await StartAsync();
        var alice = await ConnectAsync(server);
        var bob = await ConnectAsync(server);
        await alice.SayAsync("HELLO main:alice", "OK HELLO main:alice");
        await bob.SayAsync("NEW dev:bob", "OK NEW dev:bob", "MSG dev:server Chatroom dev was successfully created by bob.");
        await alice.SayAsync("JOIN dev:alice", "OK JOIN dev:alice");
        await bob.ExpectAsync("MSG dev:server Client alice has joined Chat room dev");
        await alice.SayAsync("SEND dev:alice hello  world", "MSG dev:alice hello  world");
        await bob.ExpectAsync("MSG dev:alice hello  world");
        await bob.SayAsync("TELL dev:bob alice psst", "OK TELL dev:bob alice");
        await alice.ExpectAsync("MSG FROM dev:bob psst");
        await alice.SayAsync("PAUSE alice", "OK PAUSE *:alice main,dev");
        await bob.SayAsync("SEND dev:bob are you there", "MSG dev:bob are you there");
        await alice.SayAsync("SEND dev:alice back", "MSG dev:server 1 messages missed", "MSG dev:alice back");
        await bob.ExpectAsync("MSG dev:alice back");
        var carol = await ConnectAsync(server);
        await carol.SayAsync("SEND dev:carol hi", "ERROR dev:carol not-registered say HELLO or JOIN first");
        var dave = await ConnectAsync(server);
        await dave.SayAsync("FOO x", "ERROR *:* unknown-command FOO", "BYE protocol unknown command");
        Assert.Null(await dave.ReadAsync());
        await alice.SayAsync("QUIT alice", "OK QUIT *:alice Good Bye!", "BYE quit");
        Assert.Null(await alice.ReadAsync());
        await bob.ExpectAsync("MSG dev:server Client alice has left Chat room dev");
    }

    [Theory]
    [InlineData("HELLO main:a\nSEND main:a one\nSEND main:a two\n", 1000)]
    [InlineData("HELLO main:a\nSEND main:a one\nSEND main:a two\n", 1)]
    [InlineData("\r\n\nHELLO main:a\r\n\r\nSEND main:a one\r\nSEND main:a two\r\n", 3)]
    [InlineData("\uFEFFhello main:a\nsEnD main:a one\nSend main:a two\n", 7)]
    public async Task C01_C02_lines_arrive_however_they_are_cut_ended_and_written(string text, int pieces)
    {
        var client = await ConnectAsync(await StartAsync());
        foreach (var piece in Encoding.UTF8.GetBytes(text).Chunk(pieces)) await client.SendBytesAsync(piece);
        await client.ExpectAsync("OK HELLO main:a", "MSG main:a one", "MSG main:a two");
    }

    [Fact]
    public async Task C07_text_is_kept_byte_for_byte_and_counted_in_scalars()
    {
        var client = await JoinAsync(await StartAsync(), "a");
        await client.SayAsync("SEND main:a   two blanks  ", "MSG main:a   two blanks  ");
        await client.SayAsync("SEND main:a", "MSG main:a ");
        foreach (var letter in new[] { "x", "é", "😀" })
        {
            var longest = string.Concat(Enumerable.Repeat(letter, 255));
            await client.SayAsync($"SEND main:a {longest}", $"MSG main:a {longest}");
            await client.SayAsync($"SEND main:a {longest}{letter}", "ERROR main:a message-too-long a message may have 255 characters");
        }
    }

    [Fact]
    public async Task C07_limit_of_the_configuration_takes_effect()
    {
        var server = await StartAsync(Standard with { Limits = new ChatLimits { MessageScalarsMax = 100_000 }, CloseOnTooLong = true });
        var client = await JoinAsync(server, "a");
        var text = new string('x', 100_000);
        await client.SayAsync($"SEND main:a {text}", $"MSG main:a {text}");
        await client.SendAsync($"SEND main:a {text}x");
        await client.ExpectAsync("ERROR main:a message-too-long a message may have 100000 characters", "BYE protocol message too long");
        Assert.Null(await client.ReadAsync());
    }

    [Theory]
    [InlineData("FFFE")]
    [InlineData("C080")]
    [InlineData("EDA080")]
    [InlineData("F4908080")]
    public async Task C08_bytes_that_are_no_utf8_close(string hex)
    {
        var client = await JoinAsync(await StartAsync(), "a");
        await client.SendBytesAsync([.. "SEND main:a "u8, .. Convert.FromHexString(hex), (byte)'\n']);
        await client.ExpectAsync("ERROR *:* bad-encoding lines are UTF-8", "BYE protocol bad encoding");
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task C09_a_line_that_is_too_long_is_skipped_and_one_without_end_closes()
    {
        var client = await JoinAsync(await StartAsync(), "a");
        await client.SayAsync("SEND main:a " + new string('x', 3000), "ERROR *:* line-too-long a line may have 1532 bytes");
        await client.SayAsync("SEND main:a short", "MSG main:a short");
        await client.SendBytesAsync(Encoding.ASCII.GetBytes(new string('x', 70_000)));
        await client.ExpectAsync("ERROR *:* line-too-long a line may have 1532 bytes", "BYE protocol a line without end");
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task C17_ten_errors_in_a_row_close_and_a_success_between_does_not()
    {
        var server = await StartAsync();
        var client = await JoinAsync(server, "a");
        for (var i = 0; i < 9; i++) await client.SayAsync("JOIN x:a", "ERROR x:a no-such-room there is no room x");
        await client.SayAsync("SEND main:a ok", "MSG main:a ok");
        for (var i = 0; i < 10; i++) await client.SayAsync("JOIN x:a", "ERROR x:a no-such-room there is no room x");
        await client.ExpectAsync("BYE protocol too many errors");
    }

    [Theory]
    [InlineData("HELLO main", "bad-argument")]
    [InlineData("HELLO a:b:c", "bad-argument")]
    [InlineData("HELLO :b", "bad-argument")]
    [InlineData("HELLO main:server", "reserved-id")]
    [InlineData("HELLO main:SERVER", "reserved-id")]
    [InlineData("HELLO main:ѕerver", "reserved-id")]
    [InlineData("HELLO main:ser\u200Bver", "reserved-id")]
    [InlineData("HELLO main:-", "reserved-id")]
    [InlineData("HELLO main:a\u0085b", "bad-argument")]
    [InlineData("HELLO main:a\u2003b", "bad-argument")]
    [InlineData("HELLO main:a\0b", "bad-argument")]
    [InlineData("NEW *:a", "bad-argument")]
    [InlineData("JOIN", "missing-argument")]
    public async Task Names_that_are_not_allowed_are_refused(string line, string code)
    {
        var client = await ConnectAsync(await StartAsync());
        await client.SendAsync(line);
        Assert.Equal(code, (await client.ReadAsync())!.Split(' ')[2]);
    }

    [Fact]
    public async Task Capabilities_add_tags_events_and_acknowledgements()
    {
        var server = await StartAsync();
        var a = await ConnectAsync(server);
        await a.SayAsync("CAPS tags events acks", "OK CAPS *:* tags events acks");
        await a.SayAsync("HELLO main:a", "OK HELLO main:a");
        await a.SendAsync("SEND main:a hi");
        Assert.Matches(@"^@id=[0-9a-f]{16}-\d+;seq=1;time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z MSG main:a hi$", await a.ReadAsync());
        await a.ExpectAsync("OK SEND main:a 1");
        var b = await JoinAsync(server, "b");
        Assert.Matches("^@id=.*;notice=1 MSG main:server Client b has joined Chat room main$", await a.ReadAsync());
        await a.ExpectAsync("EVENT join main:b");
        await a.SayAsync("CAPS", "OK CAPS *:a");
        await b.SayAsync("SEND main:b plain", "MSG main:b plain");
        await a.ExpectAsync("MSG main:b plain");
    }
}
