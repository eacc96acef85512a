using System.Text;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

/// <summary>What waits for slow targets, when the peer knows no windows.</summary>
public sealed class BodyBudgetTests : MooringTest
{
    [Fact]
    public async Task Item86_BodiesBeyondTheBudget_AreResetWithTheCapNamed_AndTheBudgetIsThereForTheNext()
    {
        var release = new TaskCompletionSource();
        await using var origin = new RawOrigin(async stream =>
        {
            var head = await RawOrigin.ReadHeadAsync(stream);
            if (head!.StartsWith("POST", StringComparison.Ordinal)) await release.Task;
            else await stream.WriteAsync("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray());
        });
        var done = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await ScriptedServer.StartAsync(async connection =>
        {
            try
            {
                await connection.WelcomeAsync(2, name: "myapp");
                for (var round = 0; round < 2; round++)
                {
                    await OpenAsync(connection, round, "POST", hasBody: true);
                    var reset = connection.HearAsync();
                    var chunk = new byte[64 * 1024];
                    for (var sent = 0; sent < 200 << 20 && !reset.IsCompleted; sent += chunk.Length)
                        await connection.SendAsync(output => FrameWriter.WriteStreamData(output, round, chunk, DataFraming.More));
                    var heard = await reset;
                    Assert.Equal((FrameKind.StreamReset, (long)round), (heard.Kind, heard.StreamId));
                    if (round == 1) done.SetResult(heard.Reason);
                }
                await OpenAsync(connection, 9, "GET", hasBody: false);
                Assert.Equal(204, (await connection.HearAsync()).Status);
            }
            catch (Exception exception)
            {
                done.TrySetException(exception);
            }
            await connection.UntilClosedAsync();
        });
        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = server.Address, Token = "t", Tunnels = [new TunnelDefinition { LocalPort = origin.Port, Subdomain = "myapp" }] },
            LoggerFactory, cancellationToken: TestTimeout);
        Assert.Contains("memory cap", await done.Task.WaitAsync(TestTimeout), StringComparison.Ordinal);
        release.SetResult();
    }

    [Fact]
    public async Task Budget_IsPaidBack_WhenBytesAreWritten_AndWhenTheyAreAbandoned()
    {
        var budget = new ByteBudget(100);
        var (first, second) = (new StreamOutlet(new Nobody(), budget), new StreamOutlet(new Nobody(), budget));
        Assert.True(first.TryAppend(new byte[60]));
        Assert.False(second.TryAppend(new byte[41]));
        Assert.True(second.TryAppend(new byte[30], new byte[5], new byte[5]));
        Assert.Equal((100L, 60, 40), (budget.Taken, first.Waiting, second.Waiting));
        first.Open(Stream.Null);
        Assert.Equal(40, budget.Taken);
        second.Abandon();
        first.Abandon();
        Assert.Equal(0, budget.Taken);
        var broken = new StreamOutlet(new Nobody(), budget);
        Assert.True(broken.TryAppend(new byte[100]));
        var closed = new MemoryStream();
        await closed.DisposeAsync();
        broken.Open(closed);
        broken.Abandon();
        Assert.Equal(0, budget.Taken);
    }

    private static Task OpenAsync(ScriptedConnection connection, long id, string method, bool hasBody) => connection.SendAsync(output =>
    {
        var block = new HeaderBlock();
        block.Add("host", "myapp.example.org");
        if (hasBody) block.Add("content-length", "1000000000");
        FrameWriter.WriteStreamOpen(output, new StreamOpening
        {
            StreamId = id, TunnelId = "myapp"u8, Mode = StreamMode.Http, Path = "/"u8, Headers = block.Encoded, Method = Encoding.ASCII.GetBytes(method), HasBody = hasBody,
        });
    });

    private sealed class Nobody : IOutletOwner
    {
        public void OnWritten(int payloadBytes)
        {
        }

        public void OnDrained()
        {
        }

        public void OnOutletBroken()
        {
        }
    }
}
