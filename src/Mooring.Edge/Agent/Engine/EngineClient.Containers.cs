using System.Globalization;
using System.Text.Json.Nodes;

namespace Mooring.Edge.Agent.Engine;

internal sealed partial class EngineClient
{
    /// <summary>All containers, those that do not run too.</summary>
    public async Task<IReadOnlyList<ContainerSummary>> ListContainersAsync(CancellationToken cancellationToken) =>
        await SendVersionedAsync(HttpMethod.Get, "containers/json?all=1", EngineJson.Default.ListContainerSummary, cancellationToken)
            .ConfigureAwait(false);

    /// <summary>A container by name or id.</summary>
    /// <returns>What the engine knows; null when it knows no such container.</returns>
    public async Task<ContainerDetails?> InspectContainerAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await SendVersionedAsync(
                HttpMethod.Get, $"containers/{Escape(name)}/json", EngineJson.Default.ContainerDetails, cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Creates a container without starting it.</summary>
    /// <returns>Its id, and what the engine could not do as asked.</returns>
    public Task<ContainerCreated> CreateContainerAsync(string name, ContainerCreation container, CancellationToken cancellationToken) =>
        PostAsync($"containers/create?name={Escape(name)}", container,
            EngineJson.Default.ContainerCreation, EngineJson.Default.ContainerCreated, cancellationToken);

    /// <summary>Starts a container; one that runs stays as it is.</summary>
    public Task StartContainerAsync(string name, CancellationToken cancellationToken) =>
        SendVersionedAsync(HttpMethod.Post, $"containers/{Escape(name)}/start", TimeSpan.Zero, cancellationToken);

    /// <summary>Asks a container to end, kills it after the grace time; one that does not run stays as it is.</summary>
    public Task StopContainerAsync(string name, TimeSpan grace, CancellationToken cancellationToken)
    {
        var seconds = ((int)grace.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return SendVersionedAsync(HttpMethod.Post, $"containers/{Escape(name)}/stop?t={seconds}", grace, cancellationToken);
    }

    /// <summary>Removes a container and its anonymous volumes, running or not.</summary>
    /// <returns>Whether it was there.</returns>
    public async Task<bool> RemoveContainerAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await SendVersionedAsync(HttpMethod.Delete, $"containers/{Escape(name)}?force=1&v=1", TimeSpan.Zero, cancellationToken)
                .ConfigureAwait(false);
            return true;
        }
        catch (EngineException e) when (e.IsNotFound)
        {
            return false;
        }
    }

    /// <summary>Changes when the engine restarts a container by itself.</summary>
    public Task SetRestartPolicyAsync(string name, RestartPolicy policy, CancellationToken cancellationToken) =>
        PostAsync($"containers/{Escape(name)}/update", new RestartPolicyUpdate(policy), EngineJson.Default.RestartPolicyUpdate, cancellationToken);

    /// <summary>Changes how much a container may use, while it runs.</summary>
    /// <param name="name">The container.</param>
    /// <param name="cpus">Processors; null leaves them as they are.</param>
    /// <param name="memoryMiB">Memory; null leaves it as it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task SetLimitsAsync(string name, double? cpus, double? memoryMiB, CancellationToken cancellationToken)
    {
        long? memory = memoryMiB is { } wanted ? (long)(wanted * 1024 * 1024) : null;
        // As much again of swap space, which is the engine's own choice for a new container.
        var limits = new LimitsUpdate(cpus is { } processors ? (long)(processors * 1e9) : null, memory, memory * 2);
        return PostAsync($"containers/{Escape(name)}/update", limits, EngineJson.Default.LimitsUpdate, cancellationToken);
    }

    /// <summary>All that the engine knows of a container, to make another one like it.</summary>
    /// <returns>Its own words; null when it knows no such container.</returns>
    public Task<JsonObject?> InspectContainerWholeAsync(string name, CancellationToken cancellationToken) =>
        InspectWholeAsync($"containers/{Escape(name)}/json", cancellationToken);

    /// <summary>All that the engine knows of an image.</summary>
    /// <returns>Its own words; null when it knows no such image.</returns>
    public Task<JsonObject?> InspectImageWholeAsync(string image, CancellationToken cancellationToken) =>
        InspectWholeAsync($"images/{image}/json", cancellationToken);

    /// <summary>Creates a container from <see cref="ContainerCopy"/>.</summary>
    public Task<ContainerCreated> CreateContainerAsync(string name, JsonObject copy, CancellationToken cancellationToken) =>
        PostAsync($"containers/create?name={Escape(name)}", copy, EngineJson.Default.JsonObject, EngineJson.Default.ContainerCreated, cancellationToken);

    private async Task<JsonObject?> InspectWholeAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await SendVersionedAsync(HttpMethod.Get, path, EngineJson.Default.JsonObject, cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Gives a container another name.</summary>
    public Task RenameContainerAsync(string name, string newName, CancellationToken cancellationToken) =>
        SendVersionedAsync(HttpMethod.Post, $"containers/{Escape(name)}/rename?name={Escape(newName)}", TimeSpan.Zero, cancellationToken);

    /// <summary>One sample of a container's load, at once: the engine is not asked to wait for a second one.</summary>
    public Task<ContainerStats> StatsAsync(string name, CancellationToken cancellationToken) =>
        SendVersionedAsync(HttpMethod.Get, $"containers/{Escape(name)}/stats?stream=0&one-shot=1",
            EngineStatsJson.Default.ContainerStats, cancellationToken);

    /// <summary>Runs a program in a running container and waits for its end.</summary>
    /// <param name="name">The container.</param>
    /// <param name="command">Program and arguments; no shell is between.</param>
    /// <param name="user">As whom; null is the container's own user.</param>
    /// <param name="cancellationToken">Ends the wait, not the program.</param>
    /// <returns>Its exit code and the beginning of what it wrote, at most 64 KiB.</returns>
    public async Task<(int ExitCode, string Output)> ExecAsync(
        string name, IReadOnlyList<string> command, string? user, CancellationToken cancellationToken)
    {
        var created = await PostAsync($"containers/{Escape(name)}/exec", new ExecCreation { Cmd = command, User = user },
            EngineJson.Default.ExecCreation, EngineJson.Default.ExecCreated, cancellationToken).ConfigureAwait(false);
        var path = await VersionedAsync($"exec/{created.Id}/start", cancellationToken).ConfigureAwait(false);
        var content = Json(new ExecStart(Detach: false, Tty: false), EngineJson.Default.ExecStart);
        var output = await SendBytesAsync(HttpMethod.Post, path, content, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        var details = await SendVersionedAsync(HttpMethod.Get, $"exec/{created.Id}/json", EngineJson.Default.ExecDetails, cancellationToken)
            .ConfigureAwait(false);
        return (details.ExitCode ?? -1, LogFrames.Text(output, MaxExecOutputBytes));
    }

    private const int MaxExecOutputBytes = 64 * 1024;
}
