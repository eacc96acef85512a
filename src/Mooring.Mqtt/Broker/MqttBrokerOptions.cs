using System.Net;
using Mooring.Kernel.Options;

namespace Mooring.Mqtt.Broker;

/// <summary>What a broker needs to know.</summary>
public sealed record MqttBrokerOptions
{
    /// <summary>Plain TCP listeners; default 127.0.0.1:1883. Clients are anonymous, so only loopback addresses are allowed.</summary>
    public IReadOnlyList<IPEndPoint> Listeners { get; init; } = [new(IPAddress.Loopback, 1883)];

    /// <summary>Threads that move bytes, 1 to 64; default 1, which serves hundreds of thousands of messages a second.</summary>
    public int IoThreads { get; init; } = 1;

    /// <summary>Bounds of everything that a client can make the broker hold.</summary>
    public MqttBrokerLimits Limits { get; init; } = new();

    /// <summary>Adds all that is wrong with these options to <paramref name="errors"/>.</summary>
    public void Validate(OptionsErrors errors)
    {
        foreach (var listener in Listeners)
        {
            errors.Require(
                IPAddress.IsLoopback(listener.Address), "listeners", listener, "anonymous clients are accepted on loopback addresses only");
        }

        errors.Require(IoThreads is >= 1 and <= 64, "ioThreads", IoThreads, "1 to 64");
    }
}
