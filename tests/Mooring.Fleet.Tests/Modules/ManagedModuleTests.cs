using System.Diagnostics;
using Google.Protobuf;
using Mooring.Fleet.Configuration;
using Mooring.Fleet.Modules.Calls;

namespace Mooring.Fleet.Tests.Modules;

public sealed class ManagedModuleTests : ModuleTest
{
    private static readonly string Assembly = typeof(TestModule).Assembly.Location;

    [Fact]
    public async Task Assembly_statusComesBackAsCommand_withModuleNumberAndIdentity()
    {
        var slot = await LoadAsync(Module(7, Assembly));
        Assert.True(await slot.ConnectedAsync(Device("r", 3)));
        await slot.ForwardStatusAsync(Bytes(1, 0, 2), Device("r", 3));
        var command = await CommandAsync();
        Assert.Equal(Bytes(1, 0, 2), command.Data);
        Assert.Equal(Device("r", 3), command.Device);
        await slot.AcknowledgeAsync(command);
        Assert.Equal("delivered", (await CommandAsync()).Data.ToStringUtf8());
        await slot.DisconnectedAsync(Device("r", 3), announced: false);
        Assert.Equal("gone SessionEnded", (await CommandAsync()).Data.ToStringUtf8());
    }

    [Fact]
    public async Task WhatAModuleGives_belongsToItsCall_alsoWhenTheCallHadToWait()
    {
        var slot = await LoadAsync(Module(7, Assembly));
        using var first = new Activity("first").Start();
        var quick = slot.ForwardStatusAsync(Bytes(1), Device("r"));
        using var second = new Activity("second").Start();
        // The first is not back from its yield yet, or is: either way this one belongs to the second.
        var queued = slot.ForwardStatusAsync(Bytes(2), Device("r"));
        await quick;
        await queued;
        Assert.Equal(first.Context, (await CommandAsync()).Trace!.Value);
        Assert.Equal(second.Context, (await CommandAsync()).Trace!.Value);
    }

    [Fact]
    public async Task DeviceThatIsRefused_isNoError()
    {
        var slot = await LoadAsync(Module(7, Assembly));
        Assert.False(await slot.ConnectedAsync(Device("refused")));
        Assert.Empty(Log.Entries);
    }

    [Fact]
    public async Task Exceptions_areLoggedInOneLine_andTheNextCallGoesOn()
    {
        Expect(4210);
        var slot = await LoadAsync(Module(7, Assembly));
        Assert.False(slot.IsSupported(10));
        await slot.ForwardStatusAsync(ByteString.CopyFromUtf8("throw"), Device("r"));
        await slot.ForwardErrorAsync(Bytes(1), Device("r"));
        await slot.ForwardStatusAsync(Bytes(1), Device("r"));
        Assert.Equal(1, (await CommandAsync()).Data.Length);
        Assert.Equal(
            [
                "Car car: module 7 failed in IsSupported: InvalidOperationException: type",
                "Car car: module 7 failed in Status: FormatException: what is this?",
                "Car car: module 7 failed in Error: InvalidOperationException: before the first await",
            ],
            Log.Entries.Where(e => e.Event.Id == 4210).Select(e => e.Message));
    }

    [Fact]
    public async Task CallThatNeverEnds_letsTheCarGoOn_andEndsWithTheStop()
    {
        Expect(4202);
        Limits = new ModuleLimits { CallMax = TimeSpan.FromMilliseconds(100) };
        var slot = await LoadAsync(Module(7, Assembly));
        await slot.ForwardStatusAsync(ByteString.CopyFromUtf8("hang"), Device("r"));
        await LoggedAsync(4202);
        await slot.ForwardStatusAsync(Bytes(1), Device("r"));
        Assert.False(HasCommand);
        await slot.StopAsync();
        await LoggedAsync(4203);
    }

    [Theory]
    [InlineData("refuse", "refused its configuration: api_url is missing")]
    [InlineData("throw", "failed at its start: InvalidOperationException: no such luck")]
    public async Task StartThatFails_isRefusedInOneLine(string start, string reason) =>
        Assert.Equal($"module 7: {Assembly} {reason}", await RefusalAsync(Module(7, Assembly, ("start", start))));

    [Fact]
    public async Task StartThatHangs_isRefusedAfterItsTime()
    {
        Limits = new ModuleLimits { InitMax = TimeSpan.FromMilliseconds(100) };
        Assert.Equal($"module 7: {Assembly} did not start within 0.1 s", await RefusalAsync(Module(7, Assembly, ("start", "hang"))));
    }

    [Fact]
    public async Task OtherNumber_isRefused() =>
        Assert.Equal($"module 8: {Assembly} says that it is module 7", await RefusalAsync(Module(8, Assembly)));

    [Fact]
    public async Task MissingFile_isRefused() =>
        Assert.Equal("module 7: /nowhere/module.dll: no such file", await RefusalAsync(Module(7, "/nowhere/module.dll")));

    [Fact]
    public async Task AssemblyWithoutModule_isRefused()
    {
        var path = typeof(ModuleOptions).Assembly.Location;
        Assert.Equal($"module 7: {path} is not a module: it lacks [assembly: ServerModule<...>]", await RefusalAsync(Module(7, path)));
    }

    [Fact]
    public async Task FileThatIsNoAssembly_isRefused()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".dll");
        await File.WriteAllTextAsync(path, "text", TestTimeout);
        Assert.Equal($"module 7: {path} is not a .NET assembly", await RefusalAsync(Module(7, path)));
        File.Delete(path);
    }

    [Fact]
    public async Task BuiltinOfAnotherName_namesThoseThereAre() =>
        Assert.Equal(
            "module 7: there is no module builtin:nothing; allowed: builtin:demo", await RefusalAsync(Module(7, "builtin:nothing")));

    [Fact]
    public async Task Demo_buttonAndDriveAndEcho_getTheirCommands()
    {
        var slot = await LoadAsync(Module(7, "builtin:demo"));
        var (button, drive, echo) = (Device("button", 0), Device("drive", 1), Device("echo", 2));
        foreach (var device in new[] { button, drive, echo }) Assert.True(await slot.ConnectedAsync(device));
        await SendAsync(button, "{\"pressed\": true}", "{\"lit_up\": true}");
        await SendAsync(button, "{\"pressed\": false}", null);
        await SendAsync(button, "{\"pressed\": true}", "{\"lit_up\": false}");
        await SendAsync(drive, "{\"speed\": 3, \"battery\": 21}", null);
        await SendAsync(drive, "{\"speed\": 3, \"battery\": 20}", "{\"charge\": true}");
        await SendAsync(drive, "{\"speed\": 0, \"battery\": 50}", null);
        await SendAsync(drive, "{\"speed\": 0, \"battery\": 95}", "{\"charge\": false}");
        await SendAsync(drive, "{\"battery\": \"many\"", null);
        await SendAsync(drive, "no json", null);
        await SendAsync(echo, "no json", "no json");

        async Task SendAsync(Fleet.Protocol.Device device, string status, string? command)
        {
            await slot.ForwardStatusAsync(ByteString.CopyFromUtf8(status), device);
            if (command is null) Assert.False(HasCommand);
            else Assert.Equal(command, (await CommandAsync()).Data.ToStringUtf8());
        }
    }

    [Fact]
    public async Task Command_beforeTheStartAndAfterTheStop_isNotTaken()
    {
        var slot = await LoadAsync(Module(7, "builtin:demo"), start: false);
        await slot.ForwardStatusAsync(Bytes(1), Device("echo", 2));
        Assert.False(HasCommand);
        await slot.StopAsync();
        await slot.ForwardStatusAsync(Bytes(1), Device("echo", 2));
        Assert.False(HasCommand);
    }
}
