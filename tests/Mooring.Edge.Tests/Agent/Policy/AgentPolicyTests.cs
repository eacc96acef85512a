using System.Text.Json;
using Mooring.Edge.Agent.Devices;
using Mooring.Edge.Agent.Policy;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Edge.Agent.State;
using Mooring.Edge.Agent.Topics;
using Mooring.Kernel.Options;

namespace Mooring.Edge.Tests.Agent.Policy;

/// <summary>What the owner of a machine lets hubs do.</summary>
public sealed class AgentPolicyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-policy-").FullName;

    [Fact]
    public void WithoutFile_EverythingIsAllowed()
    {
        var policy = AgentPolicy.Load(Path.Combine(_folder, "none.json"), mustExist: false);
        Assert.True(policy.AllowsTopic("delete_orchestrator"));
        Assert.Null(policy.Refusal(Device("ens37", "v1")));
        Assert.Null(policy.Refusal(Call("api/start-plc", 80)));
    }

    [Fact]
    public void D32_Lists_AllowWhatTheyName_AndNothingElse()
    {
        var policy = Load("""
            {
              "topics": ["get_*", "run_command"], "runtime_versions": ["v4.*"], "parent_interfaces": ["ens37"],
              "dedicated_interfaces": [], "ports": [8443], "paths": ["api/status", "api/version*"], // trailing comma and comments are fine
            }
            """);
        Assert.True(policy.AllowsTopic("get_device_status"));
        Assert.False(policy.AllowsTopic("delete_orchestrator"));
        Assert.Null(policy.Refusal(Device("ens37", "v4.0.9")));
        Assert.Equal("the policy of this machine does not allow runtime version latest", policy.Refusal(Device("ens37", "latest")));
        Assert.Equal("the policy of this machine does not allow a place on ens38", policy.Refusal(Device("ens38", "v4.1")));
        Assert.Equal("the policy of this machine does not allow giving ens38 to a device", policy.Refusal(Device("ens37", "v4.1") with { DedicatedInterface = "ens38" }));
        Assert.Null(policy.Refusal(Call("api/status?include_stats=true", 8443)));
        Assert.Equal("the policy of this machine does not allow port 22", policy.Refusal(Call("api/status", 22)));
        Assert.Equal("the policy of this machine does not allow the path api/stop-plc", policy.Refusal(Call("/api/stop-plc", 8443)));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"topic": ["get_*"]}""")]
    [InlineData("""{"ports": [0]}""")]
    [InlineData("""{"topics": "all"}""")]
    public void FileThatCannotBeRead_AllowsNothingByMistake(string content) => Assert.Throws<ConfigurationException>(() => Load(content));

    [Fact]
    public void NamedFileThatIsMissing_IsAnError() =>
        Assert.Throws<ConfigurationException>(() => AgentPolicy.Load(Path.Combine(_folder, "none.json"), mustExist: true));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private AgentPolicy Load(string content)
    {
        var path = Path.Combine(_folder, "policy.json");
        File.WriteAllText(path, content);
        return AgentPolicy.Load(path, mustExist: true);
    }

    private static DeviceSpecification Device(string parent, string version) => new()
    {
        Name = "plc1", Version = version, Vnics = [new VnicRecord { Name = "a", ParentInterface = parent, NetworkMode = "dhcp" }],
    };

    private static RuntimeCall Call(string api, int port)
    {
        var message = JsonSerializer.SerializeToElement(new Dictionary<string, object> { ["method"] = "GET", ["api"] = api, ["port"] = port });
        Assert.True(RuntimeCall.TryRead(new TopicRequest(message), out var call, out _));
        return call;
    }
}
