using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Protocol;
using Mooring.Kernel.Tracing;

namespace Mooring.Fleet.Api;

/// <summary>The operator's API of the external server, under <c>/api/fleet</c>.</summary>
public static class FleetEndpoints
{
    /// <summary>How long a command may wait for its answer before the request is answered without it.</summary>
    public static readonly TimeSpan CommandWait = TimeSpan.FromSeconds(10);

    /// <summary>Adds what the endpoints need. Other slices may do the same; none takes another's place.</summary>
    /// <param name="services">The host's services.</param>
    public static IServiceCollection AddFleetApi(this IServiceCollection services) =>
        services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Add(FleetJson.Default));

    /// <summary>Maps the endpoints.</summary>
    /// <param name="endpoints">The host's endpoints.</param>
    public static void MapFleetApi(this IEndpointRouteBuilder endpoints)
    {
        var group = endpoints.MapGroup("/api/fleet").WithTags("fleet");
        group.MapGet("", GetFleet).WithSummary("The fleet in a few numbers.");
        group.MapGet("/cars", GetCars).WithSummary("All cars, or those in one state.").ProducesProblem(StatusCodes.Status400BadRequest);
        group.MapGet("/cars/{car}", GetCar).WithSummary("One car: session, devices, counters, ended sessions.")
            .ProducesProblem(StatusCodes.Status404NotFound);
        group.MapPatch("/cars/{car}", ChangeCar).WithSummary("Enables or disables a car until the next start.")
            .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        group.MapPost("/cars/{car}/commands", SendCommand).WithSummary("Sends a command to a device and waits for the car's answer.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static Ok<FleetView> GetFleet(FleetServer fleet)
    {
        var seats = fleet.Seats.Values;
        var states = seats.GroupBy(s => s.State).ToDictionary(g => g.Key.ToString(), g => g.Count(), StringComparer.Ordinal);
        var options = fleet.Options;
        return TypedResults.Ok(new FleetView(
            options.Company, options.Broker.ToString(), fleet.LinkCount, fleet.Problem, fleet.Seats.Count, states));
    }

    private static Results<Ok<IReadOnlyList<CarLine>>, ProblemHttpResult> GetCars(FleetServer fleet, string? state)
    {
        CarState? wanted = null;
        if (state is not null)
        {
            if (!Enum.TryParse<CarState>(state, ignoreCase: true, out var parsed) || !Enum.IsDefined(parsed))
                return Problem(400, $"state: '{state}' is not allowed: use one of {string.Join(", ", Enum.GetNames<CarState>())}");
            wanted = parsed;
        }
        IReadOnlyList<CarLine> lines = [.. fleet.Seats.Values.Where(s => wanted is null || s.State == wanted).Select(LineOf)];
        return TypedResults.Ok(lines);
    }

    private static Results<Ok<CarView>, ProblemHttpResult> GetCar(FleetServer fleet, string car) =>
        fleet.Seats.TryGetValue(car, out var seat) ? TypedResults.Ok(ViewOf(seat)) : NoSuchCar(car);

    private static async Task<Results<Ok<CarView>, ProblemHttpResult>> ChangeCar(
        FleetServer fleet, string car, CarChange change, CancellationToken cancellationToken)
    {
        if (change.Enabled is { } isEnabled)
        {
            try
            {
                if (!await fleet.EnableAsync(car, isEnabled, cancellationToken)) return NoSuchCar(car);
            }
            catch (FleetStartException e)
            {
                return Problem(409, e.Message);
            }
        }
        return GetCar(fleet, car) is { Result: Ok<CarView> ok } ? ok : NoSuchCar(car);
    }

    private static async Task<Results<Ok<CommandAnswer>, Accepted<CommandAnswer>, ProblemHttpResult>> SendCommand(
        FleetServer fleet, string car, CommandRequest request, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!fleet.Seats.TryGetValue(car, out var seat)) return NoSuchCar(car);
        if (string.IsNullOrEmpty(request.Role)) return Problem(400, "role: must be given, the role of the device");
        if (request is { Text: not null, Base64: not null }) return Problem(400, "give text or base64, not both");
        if (!TryReadData(request, out var data)) return Problem(400, "base64: is not base64");
        if (seat.Car is not { } listening) return Problem(409, seat.LoadFailure ?? $"car '{car}' is disabled");
        var device = new Device
        {
            Module = (Device.Types.Module)request.Module,
            DeviceType = request.Type,
            DeviceRole = request.Role,
            DeviceName = request.Name ?? "",
            Priority = request.Priority,
        };
        if (listening.RefuseCommandFor(device) is { } why) return Problem(409, why);

        var outcome = new TaskCompletionSource<CommandOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        listening.Post(new CarEvent(CarEventKind.Command, Command: new CarCommand(device, data) { Outcome = outcome, Trace = TraceContext.Current }));
        try
        {
            var became = await outcome.Task.WaitAsync(CommandWait, time, cancellationToken);
            return TypedResults.Ok(new CommandAnswer(became.ToString().ToLowerInvariant()));
        }
        catch (TimeoutException)
        {
            return TypedResults.Accepted((string?)null, new CommandAnswer("pending"));
        }
    }

    private static bool TryReadData(CommandRequest request, out ByteString data)
    {
        data = ByteString.CopyFromUtf8(request.Text ?? "");
        if (request.Base64 is not { } base64) return true;
        try
        {
            data = ByteString.FromBase64(base64);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static CarLine LineOf(CarSeat seat)
    {
        var car = seat.Car;
        return new CarLine(
            seat.Options.Name, seat.Options.IsEnabled, seat.State, seat.State == CarState.Running ? car!.SessionId : null, car?.Devices.Count ?? 0,
            car?.LastMessageAt, seat.LoadFailure ?? car?.LastFailure?.Reason, car?.LastFailure?.At);
    }

    private static CarView ViewOf(CarSeat seat)
    {
        var car = seat.Car;
        var counters = car?.Counters ?? new CarCounters();
        return new CarView(
            LineOf(seat), car?.SessionSince,
            [.. (car?.Devices ?? []).Select(d => new DeviceView((int)d.Module, d.DeviceType, d.DeviceRole, d.DeviceName))],
            [.. seat.Options.Modules.Select(m => m.Number)],
            new CountersView(
                Interlocked.Read(ref counters.Sessions), Interlocked.Read(ref counters.SessionsFailed), Interlocked.Read(ref counters.StatusesReceived),
                Interlocked.Read(ref counters.StatusesAnswered), Interlocked.Read(ref counters.StatusesIgnored),
                Interlocked.Read(ref counters.CommandsSent), Interlocked.Read(ref counters.CommandsDelivered),
                Interlocked.Read(ref counters.CommandsUndelivered), Interlocked.Read(ref counters.MessagesRefused),
                Interlocked.Read(ref counters.MessagesDropped)),
            car?.OutstandingCommands ?? 0,
            [.. (car?.History ?? []).Select(s => new SessionView(s.SessionId, s.Since, s.Until, s.Reason))]);
    }

    private static ProblemHttpResult NoSuchCar(string car) => Problem(404, $"there is no car '{car}'");

    private static ProblemHttpResult Problem(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
