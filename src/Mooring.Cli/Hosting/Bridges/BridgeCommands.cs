using System.Globalization;
using Mooring.Chat;
using Mooring.Fleet;

namespace Mooring.Cli.Hosting.Bridges;

/// <summary>The commands that a room understands, and their answers as lines.</summary>
internal sealed class BridgeCommands(IBridgedSystems systems)
{
    private const string Usage = "/cars, /car NAME, /agents, /tunnels, /runtime [AGENT/]NAME restart";

    internal async Task<IReadOnlyList<string>> AnswerAsync(ChatRemark remark, BridgeOptions options, CancellationToken cancellationToken)
    {
        var words = remark.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words switch
        {
            ["/cars"] => Cars(),
            ["/car", var name] => Car(name),
            ["/agents"] => Agents(),
            ["/tunnels"] => Tunnels(),
            ["/runtime", var name, "restart"] => [await RestartAsync(name, remark, options, cancellationToken)],
            ["/help"] => [Usage],
            _ => [$"not understood; use {Usage}"],
        };
    }

    private IReadOnlyList<string> Cars()
    {
        if (systems.Cars is not { } cars) return ["the fleet is not a part of this process"];
        var all = cars.OrderBy(car => car.Name, StringComparer.Ordinal).ToList();
        var running = all.Where(car => car.Session is not null).ToList();
        return
        [
            string.Create(CultureInfo.InvariantCulture, $"{all.Count} car(s), {running.Count} in a session, {all.Count(car => car.Problem is not null)} in error"),
            .. running.Concat(all.Where(car => car.Session is null && car.Problem is not null)).Select(Line),
        ];
    }

    private IReadOnlyList<string> Car(string name)
    {
        if (systems.Cars is not { } cars) return ["the fleet is not a part of this process"];
        foreach (var car in cars)
            if (string.Equals(car.Name, name, StringComparison.OrdinalIgnoreCase)) return [Line(car)];
        return [$"there is no car '{name}'"];
    }

    private static string Line(CarGlance car) => string.Create(
        CultureInfo.InvariantCulture,
        $"{car.Name}: {(car.IsEnabled ? car.State.ToString().ToLowerInvariant() : "disabled")}, session {car.Session ?? "none"}, {car.Devices} device(s), {car.Statuses} status(es), {car.Commands} command(s){(car.Problem is { } problem ? $": {problem}" : "")}");

    private IReadOnlyList<string> Agents()
    {
        if (systems.Agents is not { } agents) return ["the hub is not a part of this process"];
        List<string> lines =
        [
            .. agents.Select(agent => agent.Load is { } load
                ? string.Create(CultureInfo.InvariantCulture, $"{agent.Id}: {agent.Presence}, processor {load.Cpu} %, memory {load.Memory} of {load.MemoryTotal} GiB, disk {load.Disk} of {load.DiskTotal} GiB")
                : $"{agent.Id}: {agent.Presence}"),
        ];
        return lines.Count > 0 ? lines : ["no agents"];
    }

    private IReadOnlyList<string> Tunnels()
    {
        if (systems.Tunnels is not { } tunnels) return ["the tunnel server is not a part of this process"];
        List<string> lines = [.. tunnels.Select(tunnel => string.Create(CultureInfo.InvariantCulture, $"{tunnel.Url}: {tunnel.Requests} request(s), {tunnel.Bytes} bytes"))];
        return lines.Count > 0 ? lines : ["no tunnels"];
    }

    private async Task<string> RestartAsync(string name, ChatRemark remark, BridgeOptions options, CancellationToken cancellationToken)
    {
        if (remark.Account is not { } account) return $"{remark.Client}: restarting is for accounts; present a token (AUTH) first";
        if (!options.Allowed.Contains(account, StringComparer.Ordinal)) return $"{account} may not restart runtimes; bridges.allow names who may";
        return await systems.RestartRuntimeAsync(name, account, cancellationToken);
    }
}
