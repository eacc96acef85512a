using System.Text.Json;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Network;
using Mooring.Edge.Agent.Topics;

namespace Mooring.Edge.Tests.Agent.Devices;

/// <summary>What can be said of a wanted device before anything is touched, and what the engine is asked for.</summary>
public sealed class SpecificationTests
{
    private static readonly Dictionary<string, HostInterface> Interfaces = new()
    {
        ["eth0"] = new HostInterface { Name = "eth0", Addresses = [new HostAddress("192.168.77.10", 24, "192.168.77.0/24")], Gateway = "192.168.77.1" },
        ["eth1"] = new HostInterface { Name = "eth1" },
        ["wlan0"] = new HostInterface { Name = "wlan0", IsWifi = true, Addresses = [new HostAddress("10.0.0.2", 24, "10.0.0.0/24")] },
    };

    [Theory]
    [InlineData("""{"vnic_configs":[]}""", null)]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"dhcp"}]}""", null)]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"dhcp"},{"name":"b","parent_interface":"wlan0","network_mode":"static","ip":"10.0.0.9"}]}""", null)]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth0; rm -rf /","network_mode":"dhcp"}]}""", "not the name of an interface")]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"dhcp","mac":"01:00:5e:00:00:01"}]}""", "not the address of a station")]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"static","ip":"192.168.77.300"}]}""", "not an IPv4 address")]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"static","ip":"192.168.77.3","gateway":"gw"}]}""", "gateway")]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"dhcp","dns":["8.8.8.8","nine"]}]}""", "dns nine")]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"dhcp"},{"name":"a","parent_interface":"eth0","network_mode":"dhcp"}]}""", "given twice")]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"dhcp","mac":"02:00:00:00:00:01"}]}""", "already in use on eth0")]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth1","network_mode":"dhcp","mac":"02:00:00:00:00:01"}]}""", null)]
    [InlineData("""{"vnic_configs":[],"runtime_version":"v1 --privileged"}""", "not a tag")]
    [InlineData("""{"vnic_configs":[],"dedicated_interface":"eth9"}""", "not an interface of this machine")]
    [InlineData("""{"vnic_configs":[],"dedicated_interface":"wlan0"}""", "only wired ones")]
    [InlineData("""{"vnic_configs":[],"dedicated_interface":"eth5"}""", "dedicated to other already")]
    [InlineData("""{"vnic_configs":[{"name":"a","parent_interface":"eth1","network_mode":"dhcp"}],"dedicated_interface":"eth1"}""", "cannot be dedicated and carry")]
    [InlineData("""{"vnic_configs":[],"serial_configs":[{"name":"s","device_id":"x","container_path":"/etc/passwd"}]}""", "below /dev/")]
    [InlineData("""{"vnic_configs":[],"resources":{"cpus":0}}""", "above 0")]
    [InlineData("""{"vnic_configs":[],"resources":{"memory_mib":1}}""", "6 or more")]
    public void Specification_IsGoodOrSaysWhatIsWrong(string message, string? error)
    {
        var found = Check(message, isOneLanPerParent: false, out _);
        if (error is null) Assert.Null(found);
        else Assert.Contains(error, found);
    }

    [Fact]
    public void TwoVnicsOnOneNetworkOfTheEngine_AreRefused_WithBothNamesAndTheNetwork()
    {
        const string Message = """{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"dhcp"},{"name":"b","parent_interface":"eth0","network_mode":"dhcp"}]}""";
        Assert.Null(Check(Message, isOneLanPerParent: false, out _));
        var error = Check(Message, isOneLanPerParent: true, out _);
        Assert.Contains("vNICs a and b", error);
        Assert.Contains("macvlan_eth0_192.168.77.0_24", error);
    }

    [Fact]
    public void TwoVnicsOnOneWifiInterface_OnlyWarn()
    {
        Assert.Null(Check("""
            {"vnic_configs":[{"name":"a","parent_interface":"wlan0","network_mode":"dhcp"},{"name":"b","parent_interface":"wlan0","network_mode":"dhcp"}]}
            """, isOneLanPerParent: true, out var warnings));
        Assert.Contains("wlan0", Assert.Single(warnings));
    }

    [Theory]
    [InlineData("255.255.255.0", "192.168.5.1", "192.168.5.0/24")]
    [InlineData("192.168.5.7/20", null, "192.168.0.0/20")]
    [InlineData("255.255.0.255", "192.168.5.1", null)]
    [InlineData("255.255.255.0", null, null)]
    [InlineData("192.168.5.0/33", null, null)]
    [InlineData("1.2.3/8", null, null)]
    public void Subnet_IsARangeOrAMaskWithAnAddress(string subnet, string? inside, string? range) =>
        Assert.Equal(range, Ipv4Subnet.TryParse(subnet, inside, out var found) ? found.ToString() : null);

    [Fact]
    public void GeneratedMacs_AreLocalUnicastAndDifferent()
    {
        var macs = Enumerable.Range(0, 1000).Select(_ => MacAddress.Generate()).ToList();
        Assert.Equal(1000, macs.Distinct().Count());
        Assert.All(macs, mac =>
        {
            Assert.True(MacAddress.TryNormalize(mac, out var same) && same == mac);
            Assert.Contains(mac[1], "26ae");
        });
    }

    [Fact]
    public void D15_PrivateNetworks_AreCutAroundWhatIsTaken()
    {
        Ipv4Subnet.TryParse("10.213.0.0/26", out var pool);
        var taken = new List<Ipv4Subnet>();
        foreach (var expected in new[] { "10.213.0.0/28", "10.213.0.16/28", "10.213.0.32/28", "10.213.0.48/28" })
        {
            var free = InternalNetworks.FindFree(pool, taken);
            Assert.Equal(expected, free.ToString());
            taken.Add(free!.Value);
        }
        Assert.Null(InternalNetworks.FindFree(pool, taken));
        Ipv4Subnet.TryParse("10.0.0.0/8", out var everything);
        Assert.Null(InternalNetworks.FindFree(pool, [everything]));
    }

    [Fact]
    public void RoutesOfTheHost_AreReadButForTheDefaultOne()
    {
        const string Table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
            + "eth0\t00000000\t014DA8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
            + "eth0\t004DA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        Assert.Equal(["192.168.77.0/24"], InternalNetworks.RangesOf(Table).Select(range => range.ToString()));
    }

    [Fact]
    public void Container_HasWhatARuntimeNeedsAndNoMore()
    {
        var wanted = Read("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"dhcp","dns":["1.1.1.1","8.8.8.8"]},{"name":"b","parent_interface":"eth0","network_mode":"dhcp","dns":["8.8.8.8"]}],"runtime_version":"v4.0.9"}""");
        var container = DeviceContainer.Build(wanted, Context);
        var host = container.HostConfig!;
        Assert.Equal("runtime:v4.0.9", container.Image);
        Assert.Null(container.Env);
        Assert.Equal(["SYS_NICE", "MKNOD"], host.CapAdd!);
        Assert.Equal(["1.1.1.1", "8.8.8.8"], host.Dns!);
        Assert.Equal(("plc_internal", "no"), (host.NetworkMode, host.RestartPolicy!.Name));
        Assert.Equal(("10m", "3"), (host.LogConfig!.Config["max-size"], host.LogConfig.Config["max-file"]));
        Assert.Contains("NET_ADMIN", DeviceContainer.Build(wanted with { DedicatedInterface = "eth1" }, Context).HostConfig!.CapAdd!);
        Assert.Null(DeviceContainer.Build(wanted, Context with { WithUlimits = false }).HostConfig!.Ulimits);
    }

    [Fact]
    public void D25_SerialRules_GiveNoConsoleOfTheMachine()
    {
        var rules = DeviceContainer.Build(Read("""{"vnic_configs":[]}"""), Context).HostConfig!.DeviceCgroupRules!;
        Assert.DoesNotContain("c 4:* rmw", rules);
        var minors = rules.Where(rule => rule.StartsWith("c 4:", StringComparison.Ordinal)).Select(rule => int.Parse(rule[4..rule.IndexOf(' ', 4)]));
        Assert.Equal(Enumerable.Range(64, 32), minors);
    }

    [Theory]
    [InlineData("OCI runtime create failed: error setting rlimit type 14: operation not permitted", true, true, false, true)]
    [InlineData("unable to apply caps: operation not permitted", true, true, true, false)]
    [InlineData("error setting rlimit type 14: operation not permitted", false, true, null, null)]
    [InlineData("No such image", true, true, null, null)]
    public void D46_WhatTheEngineRefuses_IsLeftOut_Once(string refusal, bool withUlimits, bool withRealTime, bool? ulimitsAfter, bool? realTimeAfter)
    {
        var less = DeviceContainer.Without(Context with { WithUlimits = withUlimits, WithRealTime = withRealTime }, new Mooring.Edge.Agent.Engine.EngineException(System.Net.HttpStatusCode.BadRequest, refusal));
        Assert.Equal((ulimitsAfter, realTimeAfter), (less?.WithUlimits, less?.WithRealTime));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("-x")]
    [InlineData("plc one")]
    [InlineData("../plc")]
    [InlineData("\u00fcber")]
    public void D47_NameThatNoEngineTakes_IsRefusedBeforeAnythingIsTouched(string name)
    {
        foreach (var wrong in new[] { name, new string('x', 64), new string('x', 300) })
        {
            using var document = JsonDocument.Parse(new System.Text.Json.Nodes.JsonObject { ["container_name"] = wrong, ["vnic_configs"] = new System.Text.Json.Nodes.JsonArray() }.ToJsonString());
            Assert.Contains("container_name", DeviceSpecification.Contract.Check(document.RootElement, "")!.ToString());
        }
        using var good = JsonDocument.Parse($$"""{"container_name":"{{new string('x', 63)}}","vnic_configs":[]}""");
        Assert.Null(DeviceSpecification.Contract.Check(good.RootElement, ""));
    }

    [Fact]
    public void PlacesInTheEnginesNetworks_GoIntoTheCreation_WhereTheEngineTakesThem()
    {
        var wanted = Read("""{"vnic_configs":[{"name":"a","parent_interface":"eth0","network_mode":"static","ip":"192.168.77.60/24"}]}""");
        var place = new EngineLan(wanted.Vnics[0], "macvlan_eth0_192.168.77.0_24", "02:00:00:00:00:09", "192.168.77.60");
        var all = DeviceContainer.Build(wanted, Context with { Lans = [place], TakesSeveralNetworks = true });
        Assert.Equal(["macvlan_eth0_192.168.77.0_24", "plc_internal"], all.NetworkingConfig!.EndpointsConfig.Keys.Order());
        Assert.Equal("192.168.77.60", all.NetworkingConfig.EndpointsConfig[place.Network].IPAMConfig!.IPv4Address);
        var one = DeviceContainer.Build(wanted, Context with { Lans = [place] });
        Assert.Equal((place.Network, place.Mac), (one.HostConfig!.NetworkMode, one.MacAddress));
    }

    private static DeviceContainerContext Context => new() { Image = "runtime", AgentId = "07048933", Now = DateTimeOffset.UnixEpoch };

    private static DeviceSpecification Read(string message)
    {
        using var document = JsonDocument.Parse(message.Insert(1, """ "container_name":"plc", """));
        Assert.Null(DeviceSpecification.Contract.Check(document.RootElement, ""));
        return DeviceSpecification.Read(new TopicRequest(document.RootElement.Clone()));
    }

    private static string? Check(string message, bool isOneLanPerParent, out List<string> warnings)
    {
        warnings = [];
        var context = new SpecificationContext(Interfaces, new HashSet<(string, string)> { ("eth0", "02:00:00:00:00:01") },
            new Dictionary<string, string> { ["eth5"] = "other" }, isOneLanPerParent);
        return SpecificationCheck.Check(Read(message), context, warnings);
    }
}
