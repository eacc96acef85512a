using System.Net.Sockets;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>
/// Requests that two readers of HTTP may cut differently (RFC 9112 11.2): whatever the server makes of one, the application never sees a request that was
/// hidden in another's body or fields.
/// </summary>
public sealed class SmugglingTests : MooringTest
{
    private const string Hidden = "GET /hidden HTTP/1.1\r\nHost: demo.localhost\r\n\r\n";

    /// <summary>An application that notes every request and answers each with its target; it reads bodies as a careful server does.</summary>
    private static RawOrigin NotingOrigin(List<string> seen) => new(async stream =>
    {
        while (await RawOrigin.ReadHeadAsync(stream) is { } head)
        {
            lock (seen) seen.Add(head);
            if (head.Contains("chunked", StringComparison.OrdinalIgnoreCase)) await ReadChunksAsync(stream);
            else if (head.Split("Content-Length: ") is [_, var length]) await stream.ReadExactlyAsync(new byte[int.Parse(length.Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture)]);
            var target = head.Split(' ')[1];
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {target.Length}\r\n\r\n{target}"));
        }
    });

    private static async Task ReadChunksAsync(NetworkStream stream)
    {
        var reader = new List<byte>();
        var one = new byte[1];
        while (!(reader.Count >= 5 && Encoding.ASCII.GetString([.. reader[^5..]]) == "0\r\n\r\n") && await stream.ReadAsync(one) > 0) reader.Add(one[0]);
    }

    [Theory]
    [InlineData("two lengths", "Content-Length: 0\r\nContent-Length: 46\r\n", "")]
    [InlineData("two lengths in one field", "Content-Length: 0, 46\r\n", "")]
    [InlineData("length and coding", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")]
    [InlineData("coding and length", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")]
    [InlineData("space before the colon", "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")]
    [InlineData("tab before the coding", "Content-Length: 5\r\nTransfer-Encoding:\tchunked\r\n", "0\r\n\r\n")]
    [InlineData("vertical tab before the coding", "Content-Length: 5\r\nTransfer-Encoding:\vchunked\r\n", "0\r\n\r\n")]
    [InlineData("quoted coding", "Content-Length: 5\r\nTransfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")]
    [InlineData("coding of two names", "Content-Length: 5\r\nTransfer-Encoding: identity, chunked\r\n", "0\r\n\r\n")]
    [InlineData("coding twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")]
    [InlineData("coding that does not end the list", "Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")]
    [InlineData("unknown coding", "Transfer-Encoding: chunked2\r\n", "0\r\n\r\n")]
    [InlineData("folded coding", "Content-Length: 5\r\nTransfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")]
    [InlineData("folded field", "X: y\r\n Content-Length: 46\r\n", "")]
    [InlineData("bare line feed inside a field", "X: y\nContent-Length: 46\r\n", "")]
    [InlineData("bare carriage return inside a field", "X: y\rContent-Length: 46\r\n", "")]
    [InlineData("length with a sign", "Content-Length: +46\r\n", "")]
    [InlineData("negative length", "Content-Length: -1\r\n", "")]
    [InlineData("length in hex", "Content-Length: 0x2e\r\n", "")]
    [InlineData("length with a space", "Content-Length: 4 6\r\n", "")]
    [InlineData("length beyond 64 bits", "Content-Length: 99999999999999999999\r\n", "")]
    [InlineData("chunk size that is no number", "Transfer-Encoding: chunked\r\n", "zz\r\n")]
    [InlineData("chunk size with a sign", "Transfer-Encoding: chunked\r\n", "-1\r\n\r\n")]
    [InlineData("chunk size beyond 64 bits", "Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n")]
    [InlineData("chunk that is longer than its size", "Transfer-Encoding: chunked\r\n", "1\r\nabc\r\n0\r\n\r\n")]
    [InlineData("chunk size ended by a line feed", "Transfer-Encoding: chunked\r\n", "2\nab\r\n0\r\n\r\n")]
    [InlineData("chunk extension with a line feed", "Transfer-Encoding: chunked\r\n", "2;a\nx\r\nab\r\n0\r\n\r\n")]
    [InlineData("old version with a coding", "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", "0\r\n\r\n", "HTTP/1.0")]
    public async Task HiddenRequest_DoesNotReachTheApplication_AsPartOfAnother(string what, string fields, string body, string version = "HTTP/1.1")
    {
        var seen = new List<string>();
        await using var origin = NotingOrigin(seen);
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "demo" }] },
            LoggerFactory, cancellationToken: TestTimeout));
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(host.Server.Http, TestTimeout);
        var stream = visitor.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"POST /outer {version}\r\nHost: demo.localhost\r\n{fields}\r\n{body}{Hidden}"), TestTimeout);
        visitor.Client.Shutdown(SocketShutdown.Send);
        string answers;
        try
        {
            answers = await new StreamReader(stream, Encoding.Latin1).ReadToEndAsync(TestTimeout);
        }
        catch (IOException)
        {
            // Cut off: nothing was served.
            answers = "";
        }
        // Every request that the application saw is one that the visitor was answered, in its place: nobody else's connection has it.
        var served = answers.Split("HTTP/1.1 200 OK").Length - 1;
        lock (seen)
        {
            var whole = seen.Count(head => !head.StartsWith("POST /outer", StringComparison.Ordinal));
            Assert.True(whole <= served, $"{what}: the application saw a request that nobody was answered: {string.Join('\n', seen)}");
            Assert.All(seen, head => Assert.Single(head.Split("\r\n"), line => line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)));
            Assert.All(seen, head => Assert.False(head.Contains("Content-Length", StringComparison.OrdinalIgnoreCase) && head.Contains("Transfer-Encoding", StringComparison.OrdinalIgnoreCase), head));
        }
        // The next visitor of the same tunnel gets its own answer.
        using var next = host.Visitor("demo");
        Assert.Equal("/next", await next.GetStringAsync("next", TestTimeout));
    }
}
