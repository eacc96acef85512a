using System.Net;
using Mooring.Kernel.Options;
using Mooring.Mqtt.Broker.Persistence;

namespace Mooring.Mqtt.Broker;

/// <summary>What a broker needs to know.</summary>
public sealed record MqttBrokerOptions
{
    /// <summary>Where clients connect; default plain TCP on 127.0.0.1:1883.</summary>
    public IReadOnlyList<MqttListener> Listeners { get; init; } = [new IPEndPoint(IPAddress.Loopback, 1883)];

    /// <summary>
    /// File of users, lines <c>name:hash</c>; null for no users. The hashes are those of <c>mooring broker passwd</c> or mosquitto_passwd.
    /// </summary>
    public string? UsersFile { get; init; }

    /// <summary>File of access rules, a JSON list; it takes the place of <see cref="AccessRules"/>.</summary>
    public string? AccessFile { get; init; }

    /// <summary>
    /// Rules in order; the first that matches decides, and what none matches is denied. Null: whoever may connect may do everything.
    /// </summary>
    public IReadOnlyList<AccessRule>? AccessRules { get; init; }

    /// <summary>Threads that move bytes of plain TCP, 1 to 64; default 1, which serves hundreds of thousands of messages a second.</summary>
    public int IoThreads { get; init; } = 1;

    /// <summary>Where sessions and retained messages outlive the process; null keeps them in memory only.</summary>
    public MqttStorageOptions? Storage { get; init; }

    /// <summary>
    /// Whether topics, client identifiers and user names may hold control characters and non-characters of Unicode; default no: the
    /// standard advises against them, and what shows or stores them elsewhere may stumble.
    /// </summary>
    public bool ControlCharacters { get; init; }

    /// <summary>How often figures are published below <c>$SYS/broker</c>; default 10 s, zero for never.</summary>
    public TimeSpan SystemTopicsPeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bounds of everything that a client can make the broker hold.</summary>
    public MqttBrokerLimits Limits { get; init; } = new();

    /// <summary>Adds all that is wrong with these options, and with the files that they name, to <paramref name="errors"/>.</summary>
    /// <param name="errors">Where errors go.</param>
    /// <param name="time">Clock for the dates of certificates.</param>
    public void Validate(OptionsErrors errors, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(errors);
        for (var i = 0; i < Listeners.Count; i++)
        {
            var listener = Listeners[i];
            listener.Validate(errors, $"listeners[{i}]", UsersFile is not null, time);
            errors.Require(
                listener.EndPoint.Port == 0 || !Listeners.Take(i).Any(other => other.EndPoint.Equals(listener.EndPoint)),
                $"listeners[{i}]", listener.EndPoint, "another listener has this address");
        }
        for (var i = 0; i < (AccessRules?.Count ?? 0); i++) AccessRules![i].Validate(errors, $"access[{i}].topic");
        new Access.AccessControl(this, errors).Dispose();
        errors.Require(IoThreads is >= 1 and <= 64, "ioThreads", IoThreads, "use 1 to 64");
        errors.RequireInRange("sysPeriodSeconds", SystemTopicsPeriod, TimeSpan.Zero, TimeSpan.FromDays(1));
        Limits.Validate(errors, "limits");
        Storage?.Validate(errors);
    }
}
