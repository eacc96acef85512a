using System.Text.Json;
using Microsoft.Extensions.Logging;
using Mooring.Edge.NetMon;
using Mooring.Edge.NetMon.Dhcp;
using Mooring.Testing;

namespace Mooring.Edge.Tests.NetMon;

/// <summary>DHCP clients and their lease files, by a clock that moves when it is told to. The program that asks is the real one, on an interface that does not exist.</summary>
[Trait("Peer", "real")]
public sealed class DhcpClientsTests : MooringTest
{
    private static readonly ContainerProcess Container = ContainerProcess.Find(Environment.ProcessId)!.Value;

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-dhcp-").FullName;
    private readonly TestClock _clock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _told = new(0);
    private readonly List<LeaseFile> _leases = [];
    private DhcpClients _clients = null!;
    private Task _running = Task.CompletedTask;
    private int _lease;

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task ProgramThatEndsAtOnce_IsStartedEveryFiveSeconds_WhateverTheClockIsSetTo(int days)
    {
        await StartAsync();
        await EndedAsync();
        var first = LastStart;
        await LookAsync();
        var second = LastStart;
        Assert.NotEqual(first, second);
        await EndedAsync();
        _clock.Set(TimeSpan.FromDays(days));
        for (var second4 = 0; second4 < 4; second4++)
        {
            await LookAsync();
            Assert.Equal(second, LastStart);
        }
        await LookAsync();
        Assert.NotEqual(second, LastStart);
    }

    [Fact]
    public async Task Lease_IsToldWhenAddressGatewayOrServersChange_AndWhenItIsLost_AndOnlyThen()
    {
        await StartAsync();
        await TellAsync("""{"ip":"192.168.77.101","router":"192.168.77.1","dns":"1.1.1.1","lease":600,"event":"bound","timestamp":1}""");
        // A renewal is none, nor a file that is cut in the middle.
        File.WriteAllText(LeasePath, """{"ip":"192.168.77.101","router":"192.168.77.1","dns":"1.1.1.1","lease":600,"event":"renew","timestamp":2}""");
        _clock.Advance(DhcpClients.Period);
        File.WriteAllText(LeasePath, """{"ip":"192.168.77.1""");
        _clock.Advance(DhcpClients.Period);
        await TellAsync("""{"ip":"192.168.77.101","router":"192.168.77.2","dns":"1.1.1.1","event":"renew","timestamp":3}""");
        await TellAsync("""{"ip":"192.168.77.101","router":"192.168.77.2","dns":"9.9.9.9","event":"renew","timestamp":4}""");
        await TellAsync("""{"event":"leasefail","timestamp":5}""");
        Assert.Equal([("192.168.77.1", "1.1.1.1", true), ("192.168.77.2", "1.1.1.1", true), ("192.168.77.2", "9.9.9.9", true), (null, null, false)],
            _leases.Select(lease => (lease.Gateway, lease.Dns, lease.IsGood)));
    }

    [Fact]
    public async Task ContainerThatIsGone_TakesItsClientAlong_AndAProcessOfTheSameNumberGetsNone()
    {
        await StartAsync(Container with { StartedAt = Container.StartedAt - 1 });
        await EndedAsync();
        _clock.Advance(DhcpClients.Period);
        await Eventually.TrueAsync(() => _clients.Snapshot().Count == 0, "the client is forgotten", TestTimeout);
        Assert.Equal("[]", await File.ReadAllTextAsync(Path.Combine(_folder, "dhcp", "state.json"), TestTimeout));
    }

    public override async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The program that was started last; one that ended before it could be looked at is only told of.</summary>
    private (int Pid, int Ended) LastStart => (_clients.Snapshot().Single().Client.ClientPid, Log.Entries.Count(e => e.Event.Id == 7110));

    private string LeasePath => Path.Combine(_folder, "dhcp", "plc_lan.lease");

    private async Task StartAsync(ContainerProcess? container = null)
    {
        _clients = new DhcpClients(new NetMonOptions { DataFolder = _folder }, _clock, LoggerFactory.CreateLogger<DhcpClients>());
        _clients.Changed += (_, lease) =>
        {
            _leases.Add(lease);
            _told.Release();
        };
        var process = container ?? Container;
        var wanted = new DhcpClientRecord
        {
            Container = "plc", Vnic = "lan", ContainerPid = process.Pid, ContainerStartedAt = process.StartedAt, Interface = "none0", MacAddress = "02:00:00:00:00:01",
        };
        await Eventually.TrueAsync(() => IsStarted(wanted), "a start that is longer than a moment", TestTimeout);
        _running = _clients.RunAsync(_stop.Token);
        await _clock.WhenTimersAsync(1, TestTimeout);
    }

    private bool IsStarted(DhcpClientRecord wanted)
    {
        try
        {
            _clients.Start(wanted);
            return true;
        }
        catch (ProgramException e) when (e.Message.EndsWith("ended at once", StringComparison.Ordinal))
        {
            return false;
        }
    }

    private Task EndedAsync() => Eventually.TrueAsync(() => !_clients.Snapshot().Single().Client.IsRunning, "the end of the program", TestTimeout);

    /// <summary>Lets a second pass. A lease that is told says that the clients were looked at.</summary>
    private Task LookAsync() => TellAsync(JsonSerializer.Serialize(new Dictionary<string, string> { ["ip"] = $"192.168.77.{++_lease}", ["event"] = "bound" }));

    private async Task TellAsync(string lease)
    {
        File.WriteAllText(LeasePath, lease);
        _clock.Advance(DhcpClients.Period);
        await _told.WaitAsync(TestTimeout);
    }
}
