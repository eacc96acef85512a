using Mooring.Fleet.Protocol;
using Mooring.Fleet.VirtualCars;
using Mooring.Kernel.Links;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;
using ResponseType = Mooring.Fleet.Protocol.CommandResponse.Types.Type;

namespace Mooring.Fleet.Tests.VirtualCars;

/// <summary>Normal communication as a real gateway sees it.</summary>
public sealed class GatewaySessionTests : VirtualCarTest
{
    private static readonly Device Echo = new() { Module = (Device.Types.Module)1000, DeviceType = 2, DeviceRole = "echo", DeviceName = "Echo" };

    [Fact]
    public async Task Statuses_goOnAfterTheFirstOnes_andAreForcedEvery15s()
    {
        Start();
        var session = await RunAsync();
        for (var counter = 2u; counter < 5; counter++)
        {
            var status = await StatusAsync();
            Assert.Equal((session, DeviceState.Running, counter), (status.SessionId, status.DeviceState, status.MessageCounter));
            await AnswerAsync(session, counter);
            await PassAsync(14.9);
            Assert.True(IsQuiet);
            await PassAsync(0.1);
        }
        Assert.Equal(5u, (await StatusAsync()).MessageCounter);
    }

    [Fact]
    public async Task Statuses_comeAtTheirRate()
    {
        Options = Options with { StatusesPerSecond = 4 };
        Start();
        var session = await RunAsync();
        for (var counter = 2u; counter < 12; counter++)
        {
            Assert.Equal(counter, (await StatusAsync()).MessageCounter);
            await AnswerAsync(session, counter);
            await PassAsync(0.25);
        }
    }

    [Fact]
    public async Task Statuses_withoutAnswer_areNotMoreThanTheWindow_andAfter30sTheSessionIsOver()
    {
        Options = Options with { StatusesPerSecond = double.PositiveInfinity, Window = 4 };
        Start();
        var session = await RunAsync();
        for (var counter = 2u; counter < 6; counter++) Assert.Equal(counter, (await StatusAsync()).MessageCounter);
        await AnswerAsync(session, 3);
        await PassAsync(1);
        Assert.True(IsQuiet);
        await AnswerAsync(session, 2);
        Assert.Equal(6u, (await StatusAsync()).MessageCounter);
        Assert.Equal(7u, (await StatusAsync()).MessageCounter);
        await PassAsync(29);
        Assert.Equal("a status was not answered within 30 s", await EndAsync(session));
        await PassAsync(10);
        await AcceptAsync((await ConnectAsync()).SessionId);
        // Four that nobody answered.
        Assert.Equal("{\"missed_statuses\": 4}", (await StatusAsync()).ErrorMessage.ToStringUtf8());
    }

    [Theory]
    [InlineData("status twice", "no status 2 was open")]
    [InlineData("status unknown", "no status 77 was open")]
    [InlineData("status foreign", "a message of session 'foreign' came")]
    [InlineData("command foreign", "a message of session 'foreign' came")]
    [InlineData("command gap", "command 2 came after command 0")]
    [InlineData("command twice", "command 0 came after command 0")]
    [InlineData("command module", "a command came for module 8, which the car lacks")]
    [InlineData("command bare", "a command came for module 0, which the car lacks")]
    [InlineData("connect response", "a ConnectResponse came in a running session")]
    [InlineData("nothing in it", "a message without content came")]
    [InlineData("link", "the broker was lost")]
    public async Task WhatAGatewayDoesNotPutUpWith_endsTheSession_andAnotherFollowsAfter10s(string what, string reason)
    {
        Start();
        var session = await RunAsync();
        await StatusAsync();
        await AnswerAsync(session, 2);
        await (what switch
        {
            "status twice" => AnswerAsync(session, 2),
            "status unknown" => AnswerAsync(session, 77),
            "status foreign" => AnswerAsync("foreign", 2),
            "command foreign" => CommandAsync("foreign", 1, Echo),
            "command gap" => CommandAsync(session, 2, Echo),
            "command twice" => CommandAsync(session, 0, Echo),
            "command module" => CommandAsync(session, 1, new Device { Module = (Device.Types.Module)8 }),
            "command bare" => SendAsync(new ExternalServer { Command = new Command { SessionId = session, MessageCounter = 1 } }),
            "connect response" => AcceptAsync(session),
            "nothing in it" => SendAsync(new ExternalServer()),
            _ => CutAsync(),
        });
        Assert.Equal(reason, await EndAsync(session));
        Assert.Equal(0, Fleet.View.Running);
        await PassAsync(9.9);
        Assert.True(IsQuiet);
        await PassAsync(0.1);
        Assert.NotEqual(session, await RunAsync());
        Assert.Equal(2, Fleet.View.Sessions);

        ValueTask CutAsync()
        {
            MoveLink(LinkState.Waiting);
            Assert.Equal(reason, EndAsync(session).GetAwaiter().GetResult());
            MoveLink(LinkState.Up);
            return ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task Note_bringsTheNextSession_withTheNextStatus()
    {
        Start();
        var session = await RunAsync();
        await StatusAsync();
        await AnswerAsync(session, 2);
        await PassAsync(5);
        await SendNoteAsync();
        Assert.Equal("the server sent its disconnect note", await EndAsync(session));
        await PassAsync(9.9);
        Assert.True(IsQuiet);
        await PassAsync(0.1);
        await RunAsync(command: 500);
    }

    [Theory]
    [InlineData(1000, 2u, "echo", 0)]
    [InlineData(1000, 2u, "other", 1)]
    [InlineData(1000, 9u, "echo", 2)]
    public async Task Command_isAnsweredByWhatItsDeviceIs(int module, uint type, string role, int expected)
    {
        Start();
        var session = await RunAsync(command: 6);
        await StatusAsync();
        await CommandAsync(session, 7, new Device { Module = (Device.Types.Module)module, DeviceType = type, DeviceRole = role, DeviceName = "?" }, "x");
        var response = await CommandResponseAsync();
        Assert.Equal((session, 7u, (ResponseType)expected), (response.SessionId, response.MessageCounter, response.Type));
    }

    [Fact]
    public async Task Commands_areKeptForTheNextStatuses_threeAtMost_oneForEach()
    {
        Options = Options with { Devices = [new(VirtualDeviceKind.Button, "b")] };
        Start();
        var session = await RunAsync();
        var button = (Fleet.VirtualCars.Devices.ButtonDevice)Fleet.Cars[0].Devices[0];
        await StatusAsync();
        await AnswerAsync(session, 2);
        // The first of four is lost.
        string[] commands = ["{\"lit_up\": false}", "{\"lit_up\": true}", "no json", "{\"lit_up\": false}"];
        for (var i = 0u; i < 4; i++)
        {
            await CommandAsync(session, i + 1, button.Identity, commands[i]);
            Assert.Equal(ResponseType.Ok, (await CommandResponseAsync()).Type);
        }
        Assert.False(button.IsLit);
        foreach (var isLit in new[] { true, true, false })
        {
            await PassAsync(15);
            var counter = (await StatusAsync()).MessageCounter;
            Assert.Equal(isLit, button.IsLit);
            await AnswerAsync(session, counter);
        }
    }

    [Fact]
    public async Task Stop_takesLeaveOfTheServer()
    {
        Options = Options with { Devices = [new(VirtualDeviceKind.Echo, "a"), new(VirtualDeviceKind.Echo, "b")] };
        Start();
        var session = await RunAsync();
        Assert.Equal(DeviceState.Running, (await StatusAsync()).DeviceState);
        var stopping = Fleet.StopAsync();
        for (var i = 0; i < 2; i++)
        {
            var status = await StatusAsync();
            Assert.Equal((session, DeviceState.Disconnect, (uint)i + 4), (status.SessionId, status.DeviceState, status.MessageCounter));
        }
        await stopping;
        Assert.Equal(0, Fleet.View.Running);
    }
}
