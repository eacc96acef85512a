using Google.Protobuf;
using Mooring.Testing;

namespace Mooring.Fleet.Tests.Modules;

/// <summary>The modules that docs/libraries/fleet-modules.md shows do what it says.</summary>
[Collection("native modules")]
[Trait("Peer", "real")]
public sealed class SampleModuleTests : ModuleTest
{
    private const string Project = "Thermostat";

    /// <summary>Built beside this test program, with the same configuration.</summary>
    private static string Thermostat =>
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", Project, new DirectoryInfo(AppContext.BaseDirectory).Name, Project + ".dll"));

    [Theory]
    [InlineData("examples/Thermostat/Thermostat.cs", "csharp")]
    [InlineData("native/sample/doorbell.c", "c")]
    public void Document_showsWhatIsTestedHere(string file, string language) => Assert.Contains(
        $"```{language}\n{File.ReadAllText(RepositoryRoot.Combine(file))}```",
        File.ReadAllText(RepositoryRoot.Combine("docs", "libraries", "fleet-modules.md")), StringComparison.Ordinal);

    [Fact]
    public async Task Thermostat_coolsAboveItsLimit_andSurvivesNonsense()
    {
        Expect(4210);
        var slot = await LoadAsync(Module(6, Thermostat, ("limit", "21.5")));
        var device = Device("cabin", module: 6);
        Assert.True(slot.IsSupported(0));
        Assert.False(slot.IsSupported(1));
        Assert.True(await slot.ConnectedAsync(device));
        await slot.ForwardStatusAsync(ByteString.CopyFromUtf8("21.5"), device);
        await slot.ForwardStatusAsync(ByteString.CopyFromUtf8("warm"), device);
        Assert.False(HasCommand);
        await slot.ForwardStatusAsync(ByteString.CopyFromUtf8("21.6"), device);
        var command = await CommandAsync();
        Assert.Equal(("cool", device), (command.Data.ToStringUtf8(), command.Device));
        await slot.AcknowledgeAsync(command);
        await slot.DisconnectedAsync(device, announced: true);
    }

    [Fact]
    public async Task Thermostat_withoutALimit_isRefusedInItsOwnWords() => Assert.Equal(
        $"module 6: {Thermostat} refused its configuration: 'limit' must be a temperature", await RefusalAsync(Module(6, Thermostat)));

    [Fact]
    public async Task Doorbell_dingsForEachPress_inOrder()
    {
        var slot = await LoadAsync(Module(5, NativeLibraries.Doorbell));
        var door = Device("front\0door", module: 5);
        Assert.True(await slot.ConnectedAsync(door));
        foreach (var status in new[] { "{\"pressed\": true}", "{\"pressed\": false}", "{\"pressed\": true}", "" })
            await slot.ForwardStatusAsync(ByteString.CopyFromUtf8(status), door);
        for (var i = 0; i < 2; i++)
        {
            var command = await CommandAsync();
            Assert.Equal(("ding", door.DeviceRole), (command.Data.ToStringUtf8(), command.Device.DeviceRole));
            await slot.AcknowledgeAsync(command);
        }
        await slot.StopAsync();
        Assert.False(HasCommand);
    }
}
