using System.Text;
using System.Threading.Channels;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Legacy;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

/// <summary>Our client against a scripted server of generation A: the order of messages, its timers, its proxy connections.</summary>
public sealed class LegacyScriptTests : MooringTest
{
    private readonly TestClock _clock = new();

    private Task<TunnelClient> ConnectAsync(ScriptedServer server, params TunnelDefinition[] tunnels) => TunnelClient.ConnectAsync(
        new TunnelClientOptions { Server = server.Address, Token = "tok123456", Wire = TunnelWire.A, Tunnels = tunnels.Length > 0 ? tunnels : [new TunnelDefinition { LocalPort = 1, Subdomain = "keep" }] },
        LoggerFactory, _clock, TestTimeout);

    private static async Task<(ControlMessage.Auth Auth, List<ControlMessage.ReqTunnel> Asked)> AdmitAsync(ScriptedConnection connection, int tunnels = 1)
    {
        var auth = await connection.HearAsync<ControlMessage.Auth>();
        await connection.SendAsync(new ControlMessage.AuthResp("srv-1", "2.3.40", "2.3", null));
        var asked = new List<ControlMessage.ReqTunnel>();
        for (var i = 0; i < tunnels; i++)
        {
            asked.Add(await connection.HearAsync<ControlMessage.ReqTunnel>());
            var name = asked[i].Subdomain is { Length: > 0 } wanted ? wanted : "given";
            await connection.SendAsync(asked[i].Protocol == "tcp"
                ? new ControlMessage.NewTunnel(asked[i].ReqId, "tcp://t.test:20001", "tcp", null, "tcp-1", null)
                : new ControlMessage.NewTunnel(asked[i].ReqId, $"https://{name}.t.test", "http", name, null, null));
        }
        return (auth, asked);
    }

    private async Task<T> AdvancingAsync<T>(Task<T> task, TimeSpan step)
    {
        while (!task.IsCompleted)
        {
            _clock.Advance(step);
            await Task.WhenAny(task, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestTimeout));
            TestTimeout.ThrowIfCancellationRequested();
        }
        return await task;
    }

    [Fact]
    public async Task Item14_15_16_AuthComesFirst_WithTheToken_AndTheServersIdIsUsedFromThenOn()
    {
        var (auth, bearer) = (new TaskCompletionSource<(ControlMessage.Auth, string)>(), new TaskCompletionSource<(string?, string)>());
        await using var server = await ScriptedServer.StartAsync(
            async connection =>
            {
                auth.TrySetResult(((await AdmitAsync(connection)).Auth, connection.Authorization));
                await connection.SendAsync(new ControlMessage.ReqProxy());
                await connection.UntilClosedAsync();
            },
            async proxy =>
            {
                bearer.TrySetResult(((await proxy.HearAsync<ControlMessage.RegProxy>()).ClientId, proxy.Authorization));
                await proxy.UntilClosedAsync();
            });
        await using var client = await ConnectAsync(server);
        var (first, control) = await auth.Task.WaitAsync(TestTimeout);
        Assert.Equal(("tok123456", "", "2.3.40", "2.3", "Bearer tok123456"), (first.User, first.Password, first.Version, first.MmVersion, control));
        Assert.Matches("^client-[a-km-z2-9]{12}$", first.ClientId);
        Assert.Equal(("srv-1", "Bearer tok123456"), await bearer.Task.WaitAsync(TestTimeout));
    }

    [Fact]
    public async Task Item31_32_33_PingsAreAnswered_UnknownTypesPassedOver_AndLowerCaseUnderstood()
    {
        var answered = new TaskCompletionSource();
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await AdmitAsync(connection);
            await connection.SendAsync([0x81, 0xA4, .. "Type"u8, 0xA7, .. "Strange"u8]);
            await connection.SendAsync([0x81, 0xA4, .. "type"u8, 0xA4, .. "Ping"u8]);
            await connection.HearAsync<ControlMessage.Pong>();
            answered.SetResult();
            await connection.UntilClosedAsync();
        });
        await using var client = await ConnectAsync(server);
        await answered.Task.WaitAsync(TestTimeout);
    }

    [Fact]
    public async Task Item34_36_PingsEvery20s_AndHeartbeatsEvery30s_ForHttpOnly()
    {
        var heard = Channel.CreateBounded<(ControlMessage Message, DateTimeOffset At)>(100);
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await AdmitAsync(connection, tunnels: 2);
            while (await connection.ReceiveAsync() is { } message)
            {
                var read = ControlCodec.Read(message);
                if (read is ControlMessage.Pong) read = new ControlMessage.Ping();
                else if (read is ControlMessage.Ping)
                {
                    await connection.SendAsync(new ControlMessage.Pong());
                    // Its answer tells that the client has heard the Pong: then the clock may go on.
                    await connection.SendAsync(new ControlMessage.Ping());
                    continue;
                }
                await heard.Writer.WriteAsync((read, _clock.GetUtcNow()));
            }
        });
        await using var client = await ConnectAsync(server, new TunnelDefinition { LocalPort = 1, Subdomain = "keep" }, new TunnelDefinition { LocalPort = 2, Protocol = TunnelProtocol.Tcp });
        // Its clock has begun to tick.
        while (!_clock.Waits.Contains(TimeSpan.FromSeconds(5))) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestTimeout);
        var begun = _clock.GetUtcNow();
        var pings = new List<int>();
        var beats = new List<int>();
        for (var seconds = 5; seconds <= 65; seconds += 5)
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            var due = (seconds % 20 == 0 ? 1 : 0) + (seconds % 30 == 0 ? 1 : 0);
            for (; due > 0; due--)
            {
                var (message, at) = await heard.Reader.ReadAsync(TestTimeout);
                var after = (int)(at - begun).TotalSeconds;
                if (message is ControlMessage.Ping) pings.Add(after);
                if (message is not ControlMessage.Heartbeat heartbeat) continue;
                beats.Add(after);
                Assert.Equal("keep", heartbeat.Subdomain);
                Assert.Equal(_clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0, heartbeat.Timestamp, 0.001);
            }
        }
        Assert.Equal([20, 40, 60], pings);
        Assert.Equal([30, 60], beats);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task Item35_38_SilenceOf45s_EndsTheConnection_AndTheNextAsksForTheSameNameWithTheSameId()
    {
        var again = new TaskCompletionSource<(string?, string?)>();
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            var (auth, asked) = await AdmitAsync(connection);
            if (connection.Number == 2) again.SetResult((auth.ClientId, asked[0].Subdomain));
            await connection.UntilClosedAsync();
        });
        await using var client = await ConnectAsync(server, new TunnelDefinition { LocalPort = 1 });
        var begun = _clock.GetUtcNow();
        Assert.Equal(("srv-1", "given"), await AdvancingAsync(again.Task, TimeSpan.FromSeconds(5)));
        Assert.True(_clock.GetUtcNow() - begun >= TimeSpan.FromSeconds(45));
    }

    [Fact]
    public async Task Item34_PongThatDoesNotComeWithin30s_EndsTheConnection_EvenIfTheServerSaysOtherThings()
    {
        var (answered, again) = (Channel.CreateBounded<bool>(1), new TaskCompletionSource<bool>());
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await AdmitAsync(connection);
            if (connection.Number == 2) again.SetResult(true);
            while (await connection.ReceiveAsync() is { } message)
            {
                // A Ping of its own every time, so that it is not the silence that ends the connection.
                if (ControlCodec.Read(message) is ControlMessage.Ping) await connection.SendAsync(new ControlMessage.Ping());
                if (ControlCodec.Read(message) is ControlMessage.Pong) await answered.Writer.WriteAsync(true);
            }
        });
        await using var client = await ConnectAsync(server);
        while (!_clock.Waits.Contains(TimeSpan.FromSeconds(5))) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestTimeout);
        var begun = _clock.GetUtcNow();
        foreach (var pings in new[] { 1, 2 })
        {
            for (var i = 0; i < 4; i++) _clock.Advance(TimeSpan.FromSeconds(5));
            Assert.True(await answered.Reader.ReadAsync(TestTimeout));
            Assert.True(client.Status.IsConnected, $"after {pings} pings");
        }
        Assert.True(await AdvancingAsync(again.Task, TimeSpan.FromSeconds(5)));
        Assert.True(_clock.GetUtcNow() - begun >= LegacyClientSession.PingPeriod + LegacyClientSession.PongMax);
    }

    [Fact]
    public async Task Item24_TunnelThatIsNotGranted_IsGivenUpAfter10s()
    {
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await connection.HearAsync<ControlMessage.Auth>();
            await connection.SendAsync(new ControlMessage.AuthResp("srv-1", null, null, null));
            await connection.UntilClosedAsync();
        });
        var begun = _clock.GetUtcNow();
        var failed = await Assert.ThrowsAsync<TunnelException>(() => AdvancingAsync(ConnectAsync(server), TimeSpan.FromSeconds(1)));
        Assert.Contains("in time", failed.Message, StringComparison.Ordinal);
        Assert.True(_clock.GetUtcNow() - begun >= TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData("OVER_CAPACITY", "no name left")]
    [InlineData("FREE_TIER_LIMIT_REACHED", "all the tunnels that it may have")]
    [InlineData("STRANGE", "Full [STRANGE]")]
    public async Task Item25_26_ErrorResp_EndsTheRequest_WithItsOwnText(string code, string text)
    {
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await connection.HearAsync<ControlMessage.Auth>();
            await connection.SendAsync(new ControlMessage.AuthResp("srv-1", null, null, null));
            var asked = await connection.HearAsync<ControlMessage.ReqTunnel>();
            await connection.SendAsync(new ControlMessage.ErrorResp("req-other", "OTHER", "not this one"));
            await connection.SendAsync(new ControlMessage.ErrorResp(asked.ReqId, code, "Full"));
            await connection.UntilClosedAsync();
        });
        var refused = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(server));
        Assert.Equal(code, refused.Code);
        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Item27_NewTunnelWithAnError_IsARefusal()
    {
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await connection.HearAsync<ControlMessage.Auth>();
            await connection.SendAsync(new ControlMessage.AuthResp("srv-1", null, null, null));
            var asked = await connection.HearAsync<ControlMessage.ReqTunnel>();
            await connection.SendAsync(new ControlMessage.NewTunnel(asked.ReqId, null, null, null, null, "no such luck"));
            await connection.UntilClosedAsync();
        });
        Assert.Equal("no such luck", (await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(server))).Message);
    }

    [Fact]
    public async Task Item42_43_RequestsOnOneProxyConnection_AreAnsweredInOrder_WithTheApplicationsHost()
    {
        var seen = Channel.CreateBounded<string>(10);
        await using var origin = new RawOrigin(async stream =>
        {
            while (await RawOrigin.ReadHeadAsync(stream) is { } head)
            {
                await seen.Writer.WriteAsync(head);
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\n\r\n{head[5..7]}"));
            }
        });
        var answers = new TaskCompletionSource<List<ProxyResponse>>();
        await using var server = await ScriptedServer.StartAsync(
            async connection =>
            {
                await AdmitAsync(connection);
                await connection.SendAsync(new ControlMessage.ReqProxy());
                await connection.UntilClosedAsync();
            },
            async proxy =>
            {
                await proxy.HearAsync<ControlMessage.RegProxy>();
                await proxy.SendAsync(new ControlMessage.StartProxy("https://keep.t.test", "192.0.2.7:50000", "req-abcd2345"));
                var heard = new List<ProxyResponse>();
                for (var i = 0; i < 3; i++)
                {
                    await proxy.SendAsync(new ControlMessage.Proxy(ProxyCodec.Write(new ProxyRequest("GET", $"/{i}x", "a=1", [new("Host", "keep.t.test"), new("Connection", "close")], default))));
                    heard.Add(ProxyCodec.ReadResponse((await proxy.HearAsync<ControlMessage.Proxy>()).Content));
                }
                answers.SetResult(heard);
                await proxy.UntilClosedAsync();
            });
        await using var client = await ConnectAsync(server, new TunnelDefinition { LocalPort = origin.Port, Subdomain = "keep" });
        var got = await answers.Task.WaitAsync(TestTimeout);
        Assert.Equal(["0x", "1x", "2x"], got.Select(answer => Encoding.ASCII.GetString(answer.Body.Span)));
        Assert.All(got, answer => Assert.Equal(200, answer.Status));
        var head = await seen.Reader.ReadAsync(TestTimeout);
        Assert.StartsWith("GET /0x?a=1 HTTP/1.1\r\n", head, StringComparison.Ordinal);
        Assert.Contains($"\r\nHost: localhost:{origin.Port}\r\n", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Connection: close", head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("https://keeper.t.test")]
    [InlineData("https://kee.t.test")]
    [InlineData("")]
    public async Task Item40_StartProxyOfNoTunnel_ClosesTheProxyConnection(string url)
    {
        var closed = new TaskCompletionSource();
        await using var server = await ScriptedServer.StartAsync(
            async connection =>
            {
                await AdmitAsync(connection);
                await connection.SendAsync(new ControlMessage.ReqProxy());
                await connection.UntilClosedAsync();
            },
            async proxy =>
            {
                await proxy.HearAsync<ControlMessage.RegProxy>();
                await proxy.SendAsync(new ControlMessage.StartProxy(url, "192.0.2.7:50000", null));
                try
                {
                    await proxy.UntilClosedAsync();
                }
                finally
                {
                    closed.SetResult();
                }
            });
        await using var client = await ConnectAsync(server);
        await closed.Task.WaitAsync(TestTimeout);
    }

    [Fact]
    public async Task Item21_OtherErrorOfTheLogin_FailsTheAttempt_InTheServersWords()
    {
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await connection.HearAsync<ControlMessage.Auth>();
            await connection.SendAsync(new ControlMessage.AuthResp(null, null, null, "this client is too old"));
            await connection.UntilClosedAsync();
        });
        var refused = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(server));
        Assert.Equal(("this client is too old", 1), (refused.Message, server.Connections));
    }

    [Theory]
    [InlineData("keep", null, "keep")]
    [InlineData("keep", "own-id", "own-id")]
    public async Task Item29_TunnelIsKnownByItsId_ElseByItsName(string subdomain, string? id, string label)
    {
        var served = new TaskCompletionSource<int>();
        await using var origin = RawOrigin.Answering("HTTP/1.1 204 No Content\r\n\r\n");
        await using var server = await ScriptedServer.StartAsync(
            async connection =>
            {
                await connection.HearAsync<ControlMessage.Auth>();
                await connection.SendAsync(new ControlMessage.AuthResp("srv-1", null, null, null));
                var asked = await connection.HearAsync<ControlMessage.ReqTunnel>();
                await connection.SendAsync(new ControlMessage.NewTunnel(asked.ReqId, "https://keep.t.test", "http", subdomain, id, null));
                await connection.SendAsync(new ControlMessage.ReqProxy());
                await connection.UntilClosedAsync();
            },
            async proxy =>
            {
                await proxy.HearAsync<ControlMessage.RegProxy>();
                await proxy.SendAsync(new ControlMessage.StartProxy($"https://{label}.other.test", "192.0.2.7:50000", null));
                await proxy.SendAsync(new ControlMessage.Proxy(ProxyCodec.Write(new ProxyRequest("GET", "/", "", [], default))));
                served.SetResult(ProxyCodec.ReadResponse((await proxy.HearAsync<ControlMessage.Proxy>()).Content).Status);
                await proxy.UntilClosedAsync();
            });
        await using var client = await ConnectAsync(server, new TunnelDefinition { LocalPort = origin.Port, Subdomain = "keep" });
        Assert.Equal(204, await served.Task.WaitAsync(TestTimeout));
    }

    [Fact]
    public async Task Item30_ProxyConnectionThatIsNotAnswered_IsGivenUpAfter10s_AndPingsAreAnsweredMeanwhile()
    {
        var (dialled, ponged) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await ScriptedServer.StartAsync(
            async connection =>
            {
                await AdmitAsync(connection);
                await connection.SendAsync(new ControlMessage.ReqProxy());
                await dialled.Task;
                await connection.SendAsync(new ControlMessage.Ping());
                await connection.HearAsync<ControlMessage.Pong>();
                ponged.SetResult();
                await connection.UntilClosedAsync();
            },
            beforeProxy: stop =>
            {
                dialled.TrySetResult();
                return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            });
        await using var client = await ConnectAsync(server);
        await ponged.Task.WaitAsync(TestTimeout);
        Assert.DoesNotContain(Log.Entries, entry => entry.Event.Id == 6521);
        _clock.Advance(LegacyClientSession.ProxyDialTimeout);
        await Log.WhenAsync(entry => entry.Event.Id == 6521, TestTimeout);
        Assert.True(client.Status.IsConnected);
    }

    [Fact]
    public async Task Item37_ConnectionThatIsLostWhileATunnelIsAskedFor_EndsTheRequestAtOnce()
    {
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            await connection.HearAsync<ControlMessage.Auth>();
            await connection.SendAsync(new ControlMessage.AuthResp("srv-1", null, null, null));
            await connection.HearAsync<ControlMessage.ReqTunnel>();
            await connection.CloseAsync(1012);
        });
        // The clock stands still: no time-out can have ended it.
        var lost = await Assert.ThrowsAsync<TunnelException>(() => ConnectAsync(server).WaitAsync(TestTimeout));
        Assert.Equal(TunnelOutcome.Unreachable, lost.Outcome);
    }

    [Fact]
    public async Task Item39_ClosingTwice_ClosesTheConnectionsOnce_AndOrderly()
    {
        var (control, proxy) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await ScriptedServer.StartAsync(
            async connection =>
            {
                await AdmitAsync(connection);
                await connection.SendAsync(new ControlMessage.ReqProxy());
                await connection.UntilClosedAsync();
                control.SetResult();
            },
            async connection =>
            {
                await connection.HearAsync<ControlMessage.RegProxy>();
                proxy.SetResult();
                await connection.UntilClosedAsync();
            });
        var client = await ConnectAsync(server);
        await proxy.Task.WaitAsync(TestTimeout);
        await client.DisposeAsync();
        await client.DisposeAsync();
        await control.Task.WaitAsync(TestTimeout);
        Assert.True(client.Completion.IsCompleted);
    }
}
