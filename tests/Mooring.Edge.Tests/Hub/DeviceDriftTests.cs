using System.Text.Json;
using System.Text.Json.Nodes;
using Mooring.Edge.Hub.Agents;
using Mooring.Edge.Hub.Desired;

namespace Mooring.Edge.Tests.Hub;

/// <summary>How a device differs from how it was wanted.</summary>
public sealed class DeviceDriftTests
{
    private const string Wanted = """
        {"vnic_configs":[{"name":"a","network_mode":"static","ip":"192.168.77.60/24","mac":"02:00:00:00:00:01"},{"name":"b","network_mode":"dhcp"}]}
        """;

    [Theory]
    [InlineData("""{"status":"success","is_running":true,"networks":{"x":{"ip_address":"192.168.77.60","mac_address":"02:00:00:00:00:01"},"y":{"ip_address":"1.2.3.4"}}}""", "")]
    [InlineData("""{"status":"success","is_running":false,"stopped_by_operator":true,"networks":{"x":{"ip_address":"192.168.77.60","mac_address":"02:00:00:00:00:01"},"y":{}}}""", "")]
    [InlineData("""{"status":"success","is_running":false,"container_status":"exited","networks":{"x":{"ip_address":"192.168.77.60","mac_address":"02:00:00:00:00:01"},"y":{}}}""", "it does not run (exited)")]
    [InlineData("""{"status":"success","is_running":true,"networks":{"x":{"ip_address":"192.168.77.60","mac_address":"02:00:00:00:00:01"}}}""", "it has 1 interfaces on the plant's network, and should have 2")]
    [InlineData("""{"status":"success","is_running":true,"networks":{"x":{"ip_address":"192.168.77.9","mac_address":"02:00:00:00:00:09"},"y":{}}}""",
        "vNIC a: no interface has the MAC address 02:00:00:00:00:01|vNIC a: no interface has the address 192.168.77.60")]
    public void Differences_AreNamed(string status, string differences) => Assert.Equal(
        differences.Split('|', StringSplitOptions.RemoveEmptyEntries), DeviceDrift.Compare(JsonNode.Parse(Wanted)!.AsObject(), Outcome(200, status))!);

    [Fact]
    public void DeviceThatIsNotThere_IsMissing_AndAnAnswerThatSaysNothing_IsNoDifference()
    {
        var wanted = JsonNode.Parse(Wanted)!.AsObject();
        Assert.Equal([DeviceDrift.Missing], DeviceDrift.Compare(wanted, Outcome(404, """{"status":"not_found"}"""))!);
        Assert.Null(DeviceDrift.Compare(wanted, Outcome(200, """{"status":"creating","operation":"create"}""")));
        Assert.Null(DeviceDrift.Compare(wanted, new CallOutcome(503, "not connected", default, 1)));
    }

    private static CallOutcome Outcome(int status, string answer) => new(status, status == 200 ? null : "no", JsonDocument.Parse(answer).RootElement, 1);
}
