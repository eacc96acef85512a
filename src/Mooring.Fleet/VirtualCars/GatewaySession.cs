using Google.Protobuf;
using Mooring.Fleet.Protocol;
using Mooring.Fleet.VirtualCars.Devices;
using DeviceState = Mooring.Fleet.Protocol.Status.Types.DeviceState;
using ResponseType = Mooring.Fleet.Protocol.CommandResponse.Types.Type;

namespace Mooring.Fleet.VirtualCars;

/// <summary>
/// One session of a gateway, from its Connect to whatever ends it. As strict as a real gateway: one wrong number, one message
/// too many or too late, and it is over.
/// </summary>
internal sealed class GatewaySession(VirtualCar car, string id)
{
    private readonly OpenStatuses _open = new(first: 1, Math.Max(car.Options.Window, car.Devices.Count));
    private uint? _lastCommand;
    private CancellationToken _stop;

    internal string Id => id;

    /// <summary>True once the connect sequence is complete.</summary>
    internal bool IsRunning { get; private set; }

    /// <summary>Runs until cancelled; then it takes leave of the server.</summary>
    /// <exception cref="SessionOverException">It ended otherwise.</exception>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        _stop = cancellationToken;
        try
        {
            await ConnectAsync();
            await TakeStatusResponsesAsync();
            await TakeFirstCommandsAsync();
            IsRunning = true;
            car.OnRunning(id);
            while (true)
            {
                await SendDueAsync();
                await TakeAsync(await car.NextAsync(NextDeadline(), _stop));
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested && IsRunning && car.IsLinkUp)
        {
            foreach (var device in car.Devices) await SendStatusAsync(device, DeviceState.Disconnect);
            throw;
        }
    }

    // The connect sequence: one ConnectResponse, as many StatusResponses as devices, as many Commands as devices, and nothing else.

    private async Task ConnectAsync()
    {
        var connect = new Connect { SessionId = id, Company = car.Options.Company, VehicleName = car.Name };
        foreach (var device in car.Devices) connect.Devices.Add(device.Identity);
        await car.SendAsync(new ExternalClient { Connect = connect });
        var response = (await StepAsync("ConnectResponse")).ConnectResponse ?? throw Fault("another message came instead of the ConnectResponse");
        CheckSession(response.SessionId);
        if (response.Type != ConnectResponse.Types.Type.Ok) throw Fault($"the server answered {response.Type}");
    }

    private async Task TakeStatusResponsesAsync()
    {
        foreach (var device in car.Devices) await SendStatusAsync(device, DeviceState.Connecting);
        for (var i = 0; i < car.Devices.Count; i++)
        {
            var response = (await StepAsync("StatusResponse")).StatusResponse ?? throw Fault("another message came instead of a StatusResponse");
            TakeStatusResponse(response);
        }
    }

    private async Task TakeFirstCommandsAsync()
    {
        for (var i = 0; i < car.Devices.Count; i++)
        {
            var command = (await StepAsync("first Command")).Command ?? throw Fault("another message came instead of a first Command");
            await TakeCommandAsync(command);
        }
    }

    private async Task<ExternalServer> StepAsync(string what)
    {
        var deadline = car.Now + car.Options.Timings.Step;
        while (true)
        {
            var item = await car.NextAsync(deadline, _stop);
            switch (item.Kind)
            {
                case GatewayEventKind.Message:
                    return item.Message!;
                case GatewayEventKind.Elapsed:
                    throw Fault($"no {what} within {car.Options.Timings.Step.TotalSeconds} s");
                case GatewayEventKind.Note:
                    // Inside the sequence it counts as "nothing received".
                    throw Fault($"the server sent its disconnect note instead of a {what}");
                default:
                    CheckLink(item);
                    break;
            }
        }
    }

    // Normal communication.

    private async ValueTask TakeAsync(GatewayEvent item)
    {
        switch (item.Kind)
        {
            case GatewayEventKind.Message when item.Message!.StatusResponse is { } response:
                TakeStatusResponse(response);
                break;
            case GatewayEventKind.Message when item.Message!.Command is { } command:
                await TakeCommandAsync(command);
                break;
            case GatewayEventKind.Message:
                throw Fault(item.Message!.ConnectResponse is null ? "a message without content came" : "a ConnectResponse came in a running session");
            case GatewayEventKind.Note:
                Abandon();
                throw new SessionOverException(SessionEnd.Note, "the server sent its disconnect note");
            default:
                CheckLink(item);
                break;
        }
    }

    private async Task SendDueAsync()
    {
        var now = car.Now;
        if (_open.OldestSentAt is { } sentAt && now - sentAt >= car.Options.Timings.StatusResponse)
            throw Fault($"a status was not answered within {car.Options.Timings.StatusResponse.TotalSeconds} s");
        foreach (var device in car.Devices)
        {
            if (device.DueAt > now || _open.IsFull) continue;
            device.DueAt = car.NextDue(device, now);
            await SendStatusAsync(device, DeviceState.Running);
        }
    }

    private TimeSpan NextDeadline()
    {
        var next = _open.OldestSentAt + car.Options.Timings.StatusResponse ?? TimeSpan.MaxValue;
        if (_open.IsFull) return next;
        foreach (var device in car.Devices)
            if (device.DueAt < next) next = device.DueAt;
        return next;
    }

    // Both.

    private async ValueTask SendStatusAsync(VirtualDevice device, DeviceState state)
    {
        var now = car.Now;
        var status = new Status
        {
            SessionId = id,
            DeviceState = state,
            DeviceStatus = new DeviceStatus { Device = device.Identity, StatusData = device.Report(now) },
        };
        if (device.Missed > 0)
        {
            status.ErrorMessage = ByteString.CopyFromUtf8($"{{\"missed_statuses\": {device.Missed}}}");
            device.Missed = 0;
        }
        status.MessageCounter = _open.Open(now);
        await car.SendAsync(new ExternalClient { Status = status });
        car.Tally.StatusesSent.Increment();
    }

    private void TakeStatusResponse(StatusResponse response)
    {
        CheckSession(response.SessionId);
        if (response.Type != StatusResponse.Types.Type.Ok) throw Fault($"the server answered a status with {response.Type}");
        var sentAt = _open.Close(response.MessageCounter) ?? throw Fault($"no status {response.MessageCounter} was open");
        car.Tally.OnAnswered(car.Now - sentAt);
    }

    private async ValueTask TakeCommandAsync(Command command)
    {
        CheckSession(command.SessionId);
        if (_lastCommand is { } last && command.MessageCounter != unchecked(last + 1))
            throw Fault($"command {command.MessageCounter} came after command {last}");
        _lastCommand = command.MessageCounter;
        var target = command.DeviceCommand?.Device ?? new Device();
        if (car.Devices.All(d => d.Identity.Module != target.Module)) throw Fault($"a command came for module {(int)target.Module}, which the car lacks");
        var type = ResponseType.DeviceNotSupported;
        foreach (var device in car.Devices)
        {
            if (device.Is(target))
            {
                device.Keep(command.DeviceCommand!.CommandData, car.Options.CommandsKept);
                type = ResponseType.Ok;
                break;
            }
            if (device.Identity.Module == target.Module && device.Identity.DeviceType == target.DeviceType) type = ResponseType.DeviceNotConnected;
        }
        car.Tally.OnCommand(isEmpty: command.DeviceCommand?.CommandData.IsEmpty ?? true);
        var response = new CommandResponse { SessionId = id, Type = type, MessageCounter = command.MessageCounter };
        await car.SendAsync(new ExternalClient { CommandResponse = response });
    }

    private void CheckSession(string session)
    {
        if (session != id) throw Fault($"a message of session '{session}' came");
    }

    private void CheckLink(GatewayEvent item)
    {
        if (item.Kind == GatewayEventKind.Garbage) throw Fault("a message came that cannot be read");
        if (!car.IsLinkUp) throw Fault("the broker was lost");
    }

    private SessionOverException Fault(string reason)
    {
        Abandon();
        return new SessionOverException(SessionEnd.Fault, reason);
    }

    /// <summary>What is not answered counts as missed.</summary>
    private void Abandon()
    {
        if (car.Devices.Count > 0) car.Devices[0].Missed += _open.Count;
    }
}
