using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Mooring.Edge.Agent.Metrics;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;
using Mooring.Edge.Protocol.Monitor;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.Topics;

/// <summary>Topics of an agent without an engine.</summary>
public sealed partial class TopicTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-topics-").FullName;

    [Fact]
    public async Task D26_OperatingSystem_IsTheOneThatItsFileNames()
    {
        var release = Path.Combine(_folder, "os-release");
        await File.WriteAllTextAsync(release, "NAME=Plant\nPRETTY_NAME=\"Plant Linux 7\"\n", TestTimeout);
        Assert.Equal("Plant Linux 7", HostFacts.Read(new HostLoad(), release).OperatingSystem);
        Assert.NotEmpty(HostFacts.Read(new HostLoad(), release + ".none").OperatingSystem);
    }

    [Fact]
    public async Task D27_Interface_HasItsHardwareAddress_WhereTheMonitorTellsIt()
    {
        await using var agent = Agent();
        agent.Get<HostNetwork>().Apply(new MonitorEvent(MonitorEvent.NetworkDiscovery, JsonSerializer.Deserialize<JsonElement>(
            """{"interfaces":[{"interface":"eth0","mac":"02:00:00:00:00:07","ipv4_addresses":[]},{"interface":"eth1","ipv4_addresses":[]}]}""")));
        var told = (await agent.AskAsync("get_host_interfaces", new JsonObject())).GetProperty("interfaces");
        Assert.Equal(["02:00:00:00:00:07", null], told.EnumerateArray().Select(nic => nic.GetProperty("mac_address").GetString()));
    }

    [Fact]
    public async Task D33_WhatIsSentToARuntime_StandsInNoLog()
    {
        const string Secret = "s3cr3t-of-the-plant";
        await using var agent = Agent();
        agent.Get<AgentState>().Devices.Set("plc", new DeviceRecord { Name = "plc", Ip = "127.0.0.1" });
        var answer = await agent.AskAsync("run_command", new JsonObject
        {
            ["device_id"] = "plc", ["method"] = "POST", ["api"] = "api/login?token=" + Secret, ["port"] = FreePort.Next(),
            ["headers"] = new JsonObject { ["Authorization"] = "Bearer " + Secret }, ["data"] = new JsonObject { ["password"] = Secret },
        });
        Assert.Equal(500, answer.GetProperty("http_response").GetProperty("status_code").GetInt32());
        await agent.AskAsync("run_command", new JsonObject { ["device_id"] = "plc", ["api"] = 7, ["data"] = Secret });
        Assert.DoesNotContain(Log.Entries, entry => entry.ToString().Contains(Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task D42_WirePage_NamesEveryTopicAndNoOther()
    {
        await using var agent = Agent();
        var page = await File.ReadAllTextAsync(RepositoryRoot.Combine("docs", "wire", "edge.md"), TestTimeout);
        var table = page[page.IndexOf("| topic |", StringComparison.Ordinal)..page.IndexOf("A vNIC:", StringComparison.Ordinal)];
        var told = table.Split('\n').Skip(2).Where(line => line.StartsWith("| `", StringComparison.Ordinal)).SelectMany(line => NamePattern().Matches(line.Split('|')[1]))
            .Select(match => match.Groups[1].Value).Where(name => name.Contains('_') || name.Contains(':')).Distinct();
        Assert.Equal(agent.Get<TopicTable>().Names.Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private AgentUnderTest Agent() => new(_folder, Path.Combine(_folder, "no-engine.sock"), LoggerFactory);

    [GeneratedRegex("`([a-z_:]+)`")]
    private static partial Regex NamePattern();
}
