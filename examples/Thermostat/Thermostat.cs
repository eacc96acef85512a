using System.Globalization;
using System.Text;
using Mooring.Fleet.Modules;

[assembly: ServerModule<Acme.Thermostats.ThermostatFactory>]

namespace Acme.Thermostats;

/// <summary>Found through the attribute above; makes one module for each car.</summary>
public sealed class ThermostatFactory : IServerModuleFactory
{
    public int Number => 6;

    public ValueTask<IServerModule> CreateAsync(ServerModuleContext context, CancellationToken cancellationToken)
    {
        if (!context.Parameters.TryGetValue("limit", out var text)
            || !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var limit))
            throw new ArgumentException("'limit' must be a temperature");
        return ValueTask.FromResult<IServerModule>(new Thermostat(context, limit));
    }
}

/// <summary>A status is a temperature as text. One above the limit is answered with the command "cool".</summary>
public sealed class Thermostat(ServerModuleContext context, double limit) : IServerModule
{
    private int _delivered;

    public bool IsSupported(uint deviceType) => deviceType == 0;

    public ValueTask<bool> DeviceConnectedAsync(ModuleDevice device, CancellationToken cancellationToken) =>
        ValueTask.FromResult(true);

    public ValueTask DeviceDisconnectedAsync(ModuleDevice device, DeviceLoss reason, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    public ValueTask StatusAsync(ModuleDevice device, ReadOnlyMemory<byte> status, CancellationToken cancellationToken)
    {
        // Here a real module would await its database or its web service; only this car would wait with it.
        var temperature = double.Parse(Encoding.UTF8.GetString(status.Span), CultureInfo.InvariantCulture);
        if (temperature > limit) context.TrySend(device, "cool"u8);
        return ValueTask.CompletedTask;
    }

    public ValueTask ErrorAsync(ModuleDevice device, ReadOnlyMemory<byte> error, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    public ValueTask CommandDeliveredAsync(ModuleDevice device, ReadOnlyMemory<byte> command, CancellationToken cancellationToken)
    {
        _delivered++;
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
