using Mooring.Kernel.Links;
using Mooring.Mqtt;

namespace Mooring.Fleet.VirtualCars;

/// <summary>A connection to the broker and the cars that use it.</summary>
internal sealed class VirtualLink
{
    private readonly List<VirtualCar> _cars = [];
    private volatile string? _problem = "not connected yet";

    internal VirtualLink(IMqttClient client)
    {
        Client = client;
        client.LinkChanged += OnChanged;
    }

    internal IMqttClient Client { get; }

    internal IReadOnlyList<VirtualCar> Cars => _cars;

    /// <summary>Why the broker cannot be reached; null while it is.</summary>
    internal string? Problem => _problem;

    internal void Add(VirtualCar car)
    {
        car.Attach(Client);
        _cars.Add(car);
    }

    private void OnChanged(LinkTransition move)
    {
        if (move.To == LinkState.Up) _problem = null;
        else if (move.To is LinkState.Waiting or LinkState.Stopped) _problem = move.Reason;
        foreach (var car in _cars) car.OnLinkChanged(move.To);
    }
}
