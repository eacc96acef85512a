using Mooring.Chat.Configuration;
using Mooring.Cli.Access;
using Mooring.Cli.Hosting;
using Mooring.Cli.Hosting.Bridges;
using Mooring.Cli.Telemetry;
using Mooring.Edge.Hub;
using Mooring.Mqtt.Broker;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Verbs;

/// <summary>Everything that <c>mooring up</c> runs with, checked. A role that is switched off has none.</summary>
internal sealed record UpOptions
{
    internal required string DataFolder { get; init; }

    internal required LogLevel LogLevel { get; init; }

    internal bool HasJsonLog { get; init; }

    internal required bool IsDemo { get; init; }

    /// <summary>Where traces and metrics go; null for nowhere.</summary>
    internal OtlpOptions? Otlp { get; init; }

    internal required AccessOptions Http { get; init; }

    internal MqttBrokerOptions? Broker { get; init; }

    internal FleetConfiguration? Fleet { get; init; }

    internal ChatOptions? Chat { get; init; }

    internal TunnelServerOptions? Tunnel { get; init; }

    internal HubOptions? Hub { get; init; }

    internal required BridgeOptions Bridges { get; init; }
}
