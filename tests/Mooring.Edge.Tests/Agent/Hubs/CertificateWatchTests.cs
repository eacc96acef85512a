using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Hubs;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Hub;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Hubs;

/// <summary>Warnings before the agent's certificate ends.</summary>
public sealed class CertificateWatchTests : MooringTest, IHubOutbox
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-expiry-").FullName;
    private readonly ConcurrentQueue<JsonObject> _told = new();

    [Fact]
    public async Task D30_Warnings_ComeAt30And7And1Days_OnceEach()
    {
        var end = (await HubCommands.EnrolAsync(new HubOptions { Folder = Path.Combine(_folder, "hub") }, "plant01", null, _folder, mustBeKnown: false, TestTimeout))!.Value;
        var clock = new TestClock(end.AddDays(-40));
        using var certificate = new ReloadableCertificate(
            new TlsFiles { Certificate = Path.Combine(_folder, "client.crt"), Key = Path.Combine(_folder, "client.key") }, clock, LoggerFactory.CreateLogger<ReloadableCertificate>());
        var watch = new CertificateWatch(certificate, new AgentIdentity("plant01"), this, clock, LoggerFactory.CreateLogger<CertificateWatch>());
        for (var day = 0; day < 42; day++)
        {
            watch.Check();
            watch.Check();
            clock.Advance(TimeSpan.FromDays(1));
        }
        Assert.Equal([30, 7, 1], _told.Select(t => (int)t["days_left"]!));
    }

    [Theory]
    [InlineData(31, null)]
    [InlineData(30, 30)]
    [InlineData(8, 30)]
    [InlineData(7, 7)]
    [InlineData(1, 1)]
    [InlineData(-1, 1)]
    public void Warning_IsTheNearest(int daysLeft, int? expected) => Assert.Equal(expected, CertificateWatch.WarningAt(TimeSpan.FromDays(daysLeft)));

    void IHubOutbox.Emit(string name, JsonObject message)
    {
        Assert.Equal("certificate_expiring", name);
        _told.Enqueue(message);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
