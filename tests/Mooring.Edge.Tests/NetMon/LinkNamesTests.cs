using Mooring.Edge.NetMon.Vnics;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Tests.NetMon;

/// <summary>Names of the links that the monitor makes.</summary>
public sealed class LinkNamesTests
{
    [Fact]
    public void D23_DevicesWhoseNamesBeginAlike_AndInterfacesOfOneDevice_HaveLinksOfTheirOwn()
    {
        string[] devices = ["0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950f", "0f8fad5b"];
        string[] vnics = ["air", "air2", "an interface with a long name"];
        var links = devices.SelectMany(device => vnics.SelectMany(vnic => new[] { LinkNames.Veth(device, vnic), LinkNames.Temporary(device, vnic) })).ToList();
        Assert.Equal(links.Count, links.Distinct().Count());
        Assert.All(links, link => Assert.True(ContractType.IsInterfaceName(link), link));
        var inside = vnics.Select(vnic => LinkNames.Inside(devices[0], vnic)).ToList();
        Assert.Equal(inside.Count, inside.Distinct().Count());
        Assert.All(inside, link => Assert.True(ContractType.IsInterfaceName(link), link));
    }
}
