using System.Net.Sockets;
using Mooring.Testing;
using Mooring.Tunnel.Client.Origin;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

public sealed class OriginPoolTests
{
    private readonly TestClock _clock = new();

    [Fact]
    public async Task Item87_Pool_Keeps256_ClosesOthers_AndGivesTheLastUsedFirst()
    {
        await using var origin = new RawOrigin(async stream =>
        {
            while (await stream.ReadAsync(new byte[1]) > 0)
            {
            }
        });
        using var pool = new OriginPool(new TcpOrigin(null, origin.Port), _clock);
        var all = new List<OriginConnection>();
        for (var i = 0; i < 257; i++) all.Add(await pool.ConnectAsync(TestContext.Current.CancellationToken));
        foreach (var connection in all) pool.Return(connection);
        Assert.Equal(256, OriginPool.IdleMax);
        Assert.True(all[^1].IsDisposed);
        Assert.All(all[..^1], connection => Assert.False(connection.IsDisposed));
        Assert.True(pool.TryTake(isRepeatable: false, out var taken));
        Assert.Same(all[255], taken);
        taken.Release();
    }

    [Fact]
    public async Task Item87_ConnectionThatTheApplicationClosed_IsNotGivenAgain()
    {
        await using var origin = new RawOrigin(_ => Task.CompletedTask);
        using var pool = new OriginPool(new TcpOrigin(null, origin.Port), _clock);
        var connection = await pool.ConnectAsync(TestContext.Current.CancellationToken);
        ((NetworkStream)connection.Stream).Socket.Poll(TimeSpan.FromSeconds(30), SelectMode.SelectRead);
        pool.Return(connection);
        Assert.False(pool.TryTake(isRepeatable: false, out _));
        Assert.Equal(TimeSpan.FromSeconds(30), TcpOrigin.ConnectTimeout);
    }

    [Fact]
    public async Task Item87_ConnectionThatWasUsedAMomentAgo_IsLookedAtOnlyForWhatCannotBeRepeated()
    {
        await using var origin = new RawOrigin(_ => Task.CompletedTask);
        using var pool = new OriginPool(new TcpOrigin(null, origin.Port), _clock);
        var connection = await pool.ConnectAsync(TestContext.Current.CancellationToken);
        ((NetworkStream)connection.Stream).Socket.Poll(TimeSpan.FromSeconds(30), SelectMode.SelectRead);
        pool.Return(connection);
        Assert.True(pool.TryTake(isRepeatable: true, out var taken));
        Assert.Same(connection, taken);
        pool.Return(connection);
        _clock.Advance(OriginPool.FreshFor);
        Assert.False(pool.TryTake(isRepeatable: true, out _));
    }
}
