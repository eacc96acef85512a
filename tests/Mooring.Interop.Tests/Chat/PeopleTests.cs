using System.Net;
using Mooring.Chat;
using Mooring.Chat.Configuration;
using Mooring.Testing;

namespace Mooring.Interop.Tests.Chat;

/// <summary>The chat server with the tools that people have: nc and curl.</summary>
[Trait("Peer", "real")]
public sealed class PeopleTests : MooringTest
{
    [Fact]
    public async Task Two_people_with_nc_and_one_with_curl_talk_in_a_room()
    {
        var server = await StartAsync(new ChatOptions());
        await using var reader = Nc(server, "HELLO main:reader\\n", "-N");
        await reader.LineAsync("OK HELLO main:reader", TestTimeout);
        await using var writer = Nc(server, "HELLO main:writer\\nSEND main:writer from nc\\n", "-N");
        await writer.LineAsync("MSG main:writer from nc", TestTimeout);
        await reader.LineAsync("MSG main:writer from nc", TestTimeout);
        await using var curl = ProcessUnderTest.Start("curl",
        [
            "-sS", "-X", "POST", $"http://{server.HttpEndPoint}/messages/send", "-H", "Content-Type: application/json",
            "-d", """{"message_data":"from curl","chat_room":"main","client_id":"robot"}""",
        ]);
        Assert.Contains("\"clients_notified\":2", await curl.LineAsync("\"status\":\"sent\"", TestTimeout), StringComparison.Ordinal);
        await reader.LineAsync("MSG main:robot from curl", TestTimeout);
        await writer.LineAsync("MSG main:robot from curl", TestTimeout);
    }

    [Fact]
    public async Task A_script_of_the_classic_server_works_with_the_classic_format()
    {
        var server = await StartAsync(new ChatOptions { ClassicWireFormat = true, AllowDetached = true });
        // One connection for each command, a blank behind every address, no line end: the end of the input is the end of the command.
        await using var alice = Nc(server, "NEW dev:alice ", "-N");
        await alice.LineAsync("MSG Chatroom dev was successfully created by alice.", TestTimeout);
        await using var bob = Nc(server, "JOIN dev:bob ", "-N");
        await alice.LineAsync("MSG Client bob has joined Chat room dev", TestTimeout);
        await using (var send = Nc(server, "SEND dev:bob hello there", "-N")) Assert.Equal(0, await send.ExitAsync(TestTimeout));
        await alice.LineAsync("MSG hello there", TestTimeout);
        await bob.LineAsync("MSG hello there", TestTimeout);
        await using (var quit = Nc(server, "QUIT x:bob ", "-N")) Assert.Equal(0, await quit.ExitAsync(TestTimeout));
        await using (var leave = Nc(server, "QUIT dev:bob ", "-N")) Assert.Equal(0, await leave.ExitAsync(TestTimeout));
        await alice.LineAsync("MSG Client bob has left Chat room dev", TestTimeout);
    }

    private static ProcessUnderTest Nc(ChatServer server, string input, string options)
    {
        var address = server.SocketEndPoints[0];
        return ProcessUnderTest.Start("/bin/sh", ["-c", $"printf '{input}' | nc {options} {address.Address} {address.Port}"]);
    }

    private async Task<ChatServer> StartAsync(ChatOptions options)
    {
        var server = Own(new ChatServer(
            options with { Sockets = [new IPEndPoint(IPAddress.Loopback, 0)], Http = new IPEndPoint(IPAddress.Loopback, 0), ShutdownGrace = TimeSpan.FromSeconds(2) },
            LoggerFactory, TimeProvider.System));
        await server.StartAsync(TestTimeout);
        return server;
    }
}
