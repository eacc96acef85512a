using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Cars;
using Mooring.Kernel.Tracing;

namespace Mooring.Fleet.Modules;

/// <summary>What a module is given at its start.</summary>
public sealed class ServerModuleContext
{
    private volatile Action<CarCommand>? _send;

    internal ServerModuleContext(int number, string company, string car, IReadOnlyDictionary<string, string> parameters, ILogger logger)
    {
        Number = number;
        Company = company;
        Car = car;
        Parameters = parameters;
        Logger = logger;
    }

    /// <summary>Number under which the module is configured.</summary>
    public int Number { get; }

    /// <summary>Company of the car.</summary>
    public string Company { get; }

    /// <summary>Name of the car.</summary>
    public string Car { get; }

    /// <summary>The module's <c>config</c>, all as text, with <c>company_name</c> and <c>car_name</c>.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; }

    /// <summary>The server's log.</summary>
    public ILogger Logger { get; }

    /// <summary>
    /// Sends a command to a device, from any thread and at any time. While the car has no session, the server's policy
    /// for commands decides; <see cref="IServerModule.CommandDeliveredAsync"/> tells when one arrived.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="command">The command; it is copied.</param>
    /// <returns>False before the car listens, and after it stopped.</returns>
    public bool TrySend(ModuleDevice device, ReadOnlySpan<byte> command)
    {
        if (_send is not { } send) return false;
        send(new CarCommand(device.ToDevice(Number), ByteString.CopyFrom(command)) { Trace = TraceContext.Current });
        return true;
    }

    internal void Open(Action<CarCommand>? send) => _send = send;

    internal void Close() => _send = null;
}
