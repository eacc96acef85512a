using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Server;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>Visitors of a client of generation A: every kind of request and answer that its whole messages can carry.</summary>
public sealed class LegacyAnswerTests : MooringTest
{
    private async Task<(TunnelHost Host, LegacyPeer Peer)> PublishAsync(Func<ProxyRequest, ProxyResponse?> answer, string auth = "", TunnelServerLimits? limits = null)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory, options => options with { Limits = limits ?? options.Limits }));
        var peer = await LegacyPeer.LogInAsync(host, await host.TokenAsync(), TestTimeout);
        await peer.AskAsync("demo", auth);
        _ = peer.ServeAsync(answer);
        return (host, peer);
    }

    private async Task<string> ExchangeAsync(TunnelHost host, string request)
    {
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(host.Server.Http, TestTimeout);
        await visitor.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestTimeout);
        return await new StreamReader(visitor.GetStream(), Encoding.Latin1).ReadToEndAsync(TestTimeout);
    }

    [Fact]
    public async Task PostOfAMebibyte_ArrivesWhole_AndSoDoesTheAnswer()
    {
        var sent = RandomNumberGenerator.GetBytes(1024 * 1024);
        var (host, peer) = await PublishAsync(request => new ProxyResponse(200, [], request.Body.ToArray()));
        using (peer)
        {
            using var visitor = host.Visitor("demo");
            using var answer = await visitor.PostAsync("echo", new ByteArrayContent(sent), TestTimeout);
            Assert.Equal(sent, await answer.Content.ReadAsByteArrayAsync(TestTimeout));
        }
    }

    [Fact]
    public async Task Head_HasTheLength_AndNoBody_WhateverTheClientSends()
    {
        var (host, peer) = await PublishAsync(request => LegacyPeer.Text(200, request.Path == "/with" ? "hello" : "", ("Content-Length", "5")));
        using (peer)
        {
            foreach (var path in new[] { "/with", "/without" })
            {
                var answer = await ExchangeAsync(host, $"HEAD {path} HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n");
                Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
                Assert.Contains("\r\nContent-Length: 5\r\n", answer, StringComparison.Ordinal);
                Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task ClientThatNeverAnswers_AsTheOldOnesDoToHead_Gives504()
    {
        var limits = new TunnelServerLimits { FirstByteTimeout = TimeSpan.FromMilliseconds(300) };
        var asked = new TaskCompletionSource();
        using var never = new ManualResetEventSlim();
        var (host, peer) = await PublishAsync(
            _ =>
            {
                asked.TrySetResult();
                never.Wait(TestTimeout);
                return null;
            }, limits: limits);
        using (peer)
        {
            using var visitor = host.Visitor("demo");
            using var answer = await visitor.SendAsync(new HttpRequestMessage(HttpMethod.Get, ""), TestTimeout);
            Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
            await asked.Task.WaitAsync(TestTimeout);
            never.Set();
        }
    }

    [Theory]
    [InlineData(204, "")]
    [InlineData(204, "4")]
    [InlineData(304, "")]
    [InlineData(304, "1234")]
    public async Task AnswerWithoutABody_HasNone_AndTheNextRequestIsServedOnTheSameConnection(int status, string length)
    {
        (string, string)[] fields = length.Length > 0 ? [("ETag", "\"1\""), ("Content-Length", length)] : [("ETag", "\"1\"")];
        var (host, peer) = await PublishAsync(request => request.Path == "/next" ? LegacyPeer.Text(200, "next") : LegacyPeer.Text(status, "", fields));
        using (peer)
        {
            var answers = await ExchangeAsync(
                host, "GET /first HTTP/1.1\r\nHost: demo.localhost\r\n\r\nGET /next HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n");
            Assert.StartsWith($"HTTP/1.1 {status} ", answers, StringComparison.Ordinal);
            Assert.Contains("\r\nETag: \"1\"\r\n", answers, StringComparison.Ordinal);
            var second = answers[(answers.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
            Assert.StartsWith("HTTP/1.1 200 OK\r\n", second, StringComparison.Ordinal);
            Assert.EndsWith("\r\n\r\nnext", second, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ConnectionClose_EndsTheConnectionThatItIsSaidOn_AndNoOther()
    {
        var seen = new List<ProxyRequest>();
        var (host, peer) = await PublishAsync(request =>
        {
            seen.Add(request);
            return LegacyPeer.Text(200, "bye", ("Connection", "close"), ("Keep-Alive", "timeout=1"));
        });
        using (peer)
        {
            // The visitor's: its connection ends after the answer, which is how it can be read to the end.
            var closed = await ExchangeAsync(host, "GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n");
            Assert.EndsWith("bye", closed, StringComparison.Ordinal);
            Assert.DoesNotContain(seen[0].Headers, field => field.Key.Equals("Connection", StringComparison.OrdinalIgnoreCase));
            // The application's: the visitor's connection goes on.
            var both = await ExchangeAsync(host, "GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\nGET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n");
            Assert.Equal(2, both.Split("HTTP/1.1 200 OK").Length - 1);
            Assert.DoesNotContain("Keep-Alive", both, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Password_IsDemandedByTheServer()
    {
        var (host, peer) = await PublishAsync(_ => LegacyPeer.Text(200, "in"), auth: "ann:secret");
        using (peer)
        {
            using var visitor = host.Visitor("demo");
            using var refused = await visitor.GetAsync("", TestTimeout);
            Assert.Equal((HttpStatusCode.Unauthorized, "Basic"), (refused.StatusCode, refused.Headers.WwwAuthenticate.Single().Scheme));
            visitor.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String("ann:secret"u8));
            Assert.Equal("in", await visitor.GetStringAsync("", TestTimeout));
        }
    }

    [Theory]
    [InlineData("X-Break", "a\r\nSet-Cookie: forged=1")]
    [InlineData("X-Break", "a\0b")]
    [InlineData("X-Break", "a\u0001b")]
    [InlineData("X Break", "a")]
    [InlineData("X-Break\r\nY", "a")]
    public async Task FieldThatWouldBreakTheAnswer_DoesNotReachTheVisitor(string name, string value)
    {
        var (host, peer) = await PublishAsync(_ => LegacyPeer.Text(200, "hello", (name, value)));
        using (peer)
        {
            var answer = await ExchangeAsync(host, "GET / HTTP/1.1\r\nHost: demo.localhost\r\nConnection: close\r\n\r\n");
            Assert.Matches("^HTTP/1.1 (200|502) ", answer);
            Assert.DoesNotContain("forged", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("Break", answer, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(99)]
    [InlineData(101)]
    [InlineData(103)]
    [InlineData(1000)]
    public async Task StatusThatNoAnswerEndsWith_Gives502(int status)
    {
        var (host, peer) = await PublishAsync(_ => LegacyPeer.Text(status, ""));
        using (peer)
        {
            using var visitor = host.Visitor("demo");
            using var answer = await visitor.GetAsync("", TestTimeout);
            Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        }
    }
}
