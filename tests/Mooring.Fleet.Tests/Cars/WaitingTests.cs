using Mooring.Fleet.Cars;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;

namespace Mooring.Fleet.Tests.Cars;

/// <summary>What a car takes while it waits for a certain kind of message, and what passes it by.</summary>
public sealed class WaitingTests : CarTest
{
    [Fact]
    public async Task C020_C024_without_a_Connect_the_car_says_nothing_and_goes_on_listening()
    {
        Start();
        await AdvanceAsync(600);
        Status(DeviceState.Running, 1, Device("a"));
        Respond(0);
        await AdvanceAsync(600);
        await NothingMoreAsync();
        Assert.Equal((CarState.Connected, 0), (Car.State, Car.History.Count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task C023_C025_statuses_and_responses_before_a_Connect_are_skipped_and_it_is_taken(int count)
    {
        Start();
        for (var i = 0u; i < count; i++)
        {
            Status(DeviceState.Running, i, Device("a"));
            Respond(i);
        }
        await RunAsync(Device("a"));
    }

    [Fact]
    public async Task C021_C022_first_status_is_taken_and_a_response_or_the_same_Connect_before_it_is_not()
    {
        Start();
        Connect(Device("a"));
        Assert.NotNull((await NextAsync()).ConnectResponse);
        Respond(0);
        Connect(Device("a"));
        await NothingMoreAsync();
        Status(DeviceState.Connecting, 1, Device("a"));
        Assert.Equal(1u, (await NextAsync()).StatusResponse.MessageCounter);
    }

    [Fact]
    public async Task C157_while_the_module_gives_nothing_nothing_is_sent()
    {
        Start();
        await RunAsync(Device("a"));
        await NothingMoreAsync();
        Assert.Equal(0, Car.OutstandingCommands);
    }
}
