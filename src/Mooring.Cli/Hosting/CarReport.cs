using System.Globalization;
using Mooring.Fleet.VirtualCars;

namespace Mooring.Cli.Hosting;

/// <summary>Tells the person in front of <c>mooring car</c> how the cars are doing, and ends it when its time is over.</summary>
internal sealed class CarReport(CarDrive drive, VirtualFleet fleet, IHostApplicationLifetime lifetime, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Begin();
        var (first, startedAt) = (fleet.View, time.GetTimestamp());
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var lines = PrintLinesAsync(over.Token);
        var end = Task.Delay(drive.Limit ?? Timeout.InfiniteTimeSpan, time, over.Token);
        if (await Task.WhenAny(end, fleet.Refused) == fleet.Refused)
        {
            drive.Failure = $"the broker refused: {fleet.Refused.Exception!.InnerException!.Message}";
        }
        else if (!stoppingToken.IsCancellationRequested && fleet.View is { } view && view.Running < view.Cars)
        {
            drive.Failure = $"{view.Cars - view.Running} of {view.Cars} car(s) not connected" + (fleet.Problem is { } problem ? $": {problem}" : "");
        }

        await over.CancelAsync();
        await lines;
        Print(first, time.GetElapsedTime(startedAt));
        lifetime.StopApplication();
    }

    private void Begin()
    {
        var names = drive.Cars.Names;
        var who = names.Count == 1 ? $"Car {names[0]}" : $"{names.Count} cars, {names[0]} to {names[^1]},";
        Console.WriteLine($"{who} of company {drive.Cars.Company} at {drive.Broker.Scheme}://{drive.Broker.Authority}. Ctrl-C switches off.");
    }

    private async Task PrintLinesAsync(CancellationToken cancellationToken)
    {
        if (drive.Report == TimeSpan.Zero) return;
        using var timer = new PeriodicTimer(drive.Report, time);
        var (before, at) = (fleet.View, time.GetTimestamp());
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                var now = Print(before, time.GetElapsedTime(at));
                (before, at) = (now, time.GetTimestamp());
            }
        }
        catch (OperationCanceledException)
        {
            // The last line is for the whole time.
        }
    }

    private VirtualFleetView Print(VirtualFleetView before, TimeSpan passed)
    {
        var now = fleet.View;
        var seconds = Math.Max(passed.TotalSeconds, 0.001);
        var answered = (now.StatusesAnswered - before.StatusesAnswered) / seconds;
        var commands = (now.Commands - before.Commands) / seconds;
        var (median, slow) = (now.RoundTrip(0.5, before).TotalMilliseconds, now.RoundTrip(0.99, before).TotalMilliseconds);
        var times = median > 0 ? $" (p50 {median:G3} ms, p99 {slow:G3} ms)" : "";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{now.Running} of {now.Cars} connected, {answered:F1} statuses/s answered{times}, {commands:F1} commands/s, {now.Ended - before.Ended} session(s) ended{Suffix(fleet.Problem)}"));
        return now;
    }

    private static string Suffix(string? problem) => problem is null ? "" : $"; {problem}";
}
