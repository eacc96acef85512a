using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.DependencyInjection;
using Mooring.Kernel.Tls;
using Mooring.Mqtt.Broker;
using Mooring.Testing;

namespace Mooring.Interop.Tests.MqttBroker;

/// <summary>A broker in a host, with a listener of each kind on 127.0.0.1 and certificates of an authority made for the test.</summary>
internal sealed class BrokerHost : IAsyncDisposable
{
    private readonly WebApplication _host;
    private readonly DevelopmentAuthority _authority;

    private BrokerHost(WebApplication host, DevelopmentAuthority authority, string folder) =>
        (_host, _authority, Folder) = (host, authority, folder);

    internal string Folder { get; }

    internal string CaFile => _authority.AuthorityPath;

    internal Mooring.Mqtt.Broker.MqttBroker Broker => _host.Services.GetRequiredService<Mooring.Mqtt.Broker.MqttBroker>();

    internal static async Task<BrokerHost> StartAsync(
        LogCollector log, Func<MqttBrokerOptions, string, MqttBrokerOptions>? configure, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("mooring-interop-").FullName;
        var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(folder, "tls"), TimeProvider.System);
        var options = new MqttBrokerOptions
        {
            Listeners = [.. Enum.GetValues<MqttTransport>().Select(transport => new MqttListener
            {
                EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
                Transport = transport,
                Tls = transport is MqttTransport.Tls or MqttTransport.SecureWebSocket ? authority.Server() : null,
            })],
        };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddMqttBroker(configure?.Invoke(options, folder) ?? options);
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new BrokerHost(host, authority, folder);
    }

    internal string Port(MqttTransport transport) => Of(transport).EndPoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    internal string Url(MqttTransport transport) => transport switch
    {
        MqttTransport.Tls => $"mqtts://localhost:{Port(transport)}",
        MqttTransport.WebSocket => $"ws://localhost:{Port(transport)}/mqtt",
        MqttTransport.SecureWebSocket => $"wss://localhost:{Port(transport)}/mqtt",
        _ => $"mqtt://localhost:{Port(transport)}",
    };

    internal TlsFiles Client(string name) => _authority.Client(name);

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private MqttListener Of(MqttTransport transport) => Broker.Bound.Single(listener => listener.Transport == transport);
}
