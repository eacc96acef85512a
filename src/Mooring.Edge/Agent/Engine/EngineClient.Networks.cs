namespace Mooring.Edge.Agent.Engine;

internal sealed partial class EngineClient
{
    /// <summary>All networks, without their members.</summary>
    public async Task<IReadOnlyList<NetworkDetails>> ListNetworksAsync(CancellationToken cancellationToken) =>
        await SendVersionedAsync(HttpMethod.Get, "networks", EngineJson.Default.ListNetworkDetails, cancellationToken).ConfigureAwait(false);

    /// <summary>A network by name or id, with its members.</summary>
    /// <returns>What the engine knows; null when it knows no such network.</returns>
    public async Task<NetworkDetails?> InspectNetworkAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await SendVersionedAsync(
                HttpMethod.Get, $"networks/{Escape(name)}", EngineJson.Default.NetworkDetails, cancellationToken).ConfigureAwait(false);
        }
        catch (EngineException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Creates a network.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> CreateNetworkAsync(NetworkCreation network, CancellationToken cancellationToken) =>
        (await PostAsync("networks/create", network, EngineJson.Default.NetworkCreation, EngineJson.Default.NetworkCreated, cancellationToken)
            .ConfigureAwait(false)).Id;

    /// <summary>Removes a network that has no running members.</summary>
    /// <returns>Whether it was there.</returns>
    public async Task<bool> RemoveNetworkAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await SendVersionedAsync(HttpMethod.Delete, $"networks/{Escape(name)}", TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (EngineException e) when (e.IsNotFound)
        {
            return false;
        }
    }

    /// <summary>Makes a container a member of a network.</summary>
    public Task ConnectNetworkAsync(string network, string container, EndpointSettings? endpoint, CancellationToken cancellationToken) =>
        PostAsync($"networks/{Escape(network)}/connect", new NetworkConnection(container, endpoint),
            EngineJson.Default.NetworkConnection, cancellationToken);

    /// <summary>Takes a container out of a network, running or not.</summary>
    public Task DisconnectNetworkAsync(string network, string container, CancellationToken cancellationToken) =>
        PostAsync($"networks/{Escape(network)}/disconnect", new NetworkDisconnection(container, Force: true),
            EngineJson.Default.NetworkDisconnection, cancellationToken);

    /// <summary>Removes a volume that no container uses.</summary>
    /// <returns>Whether it was there.</returns>
    public async Task<bool> RemoveVolumeAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await SendVersionedAsync(HttpMethod.Delete, $"volumes/{Escape(name)}", TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (EngineException e) when (e.IsNotFound)
        {
            return false;
        }
    }
}
