using System.Runtime.InteropServices;
using Mooring.Fleet;
using Mooring.Fleet.Api;
using Mooring.Fleet.Configuration;
using Mooring.Mqtt;

namespace Mooring.Cli.Hosting;

/// <summary>The external server as a part of a host. SIGHUP reads its configuration again; only cars that changed notice.</summary>
internal sealed partial class FleetRole(FleetServer server, Func<FleetConfiguration> read, ILogger<FleetRole> logger) : IHostedService
{
    private readonly ILogger _logger = logger;
    private readonly SemaphoreSlim _reloading = new(1);
    private PosixSignalRegistration? _hangUp;

    /// <param name="host">The host.</param>
    /// <param name="configuration">How the server runs.</param>
    /// <param name="read">Reads the configuration again.</param>
    /// <param name="createClient">Makes the client for the options' broker and a client id.</param>
    internal static void AddTo(
        MooringHost host, FleetConfiguration configuration, Func<FleetConfiguration> read,
        Func<IServiceProvider, FleetOptions, string, IMqttClient> createClient)
    {
        host.Services.AddFleet(configuration.Options, createClient).AddFleetApi();
        host.Services.AddHostedService(services =>
        {
            var role = new FleetRole(services.GetRequiredService<FleetServer>(), read, services.GetRequiredService<ILogger<FleetRole>>());
            role.Warn(configuration);
            return role;
        });
        host.Services.AddSingleton(services =>
        {
            var server = services.GetRequiredService<FleetServer>();
            return new Readiness("fleet", () => server.Problem);
        });
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _ = ReloadAsync();
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _hangUp?.Dispose();
        return Task.CompletedTask;
    }

    // Two signals in a row are two reloads, one after the other; the file counts as it is when its turn comes.
    private async Task ReloadAsync()
    {
        await _reloading.WaitAsync();
        try
        {
            var configuration = read();
            Warn(configuration);
            await server.ReloadAsync(configuration.Options, CancellationToken.None);
        }
        catch (Exception exception) when (CommandLine.Explain(exception) is { } lines)
        {
            foreach (var line in lines) LogNotReloaded(line);
        }
        finally
        {
            _reloading.Release();
        }
    }

    private void Warn(FleetConfiguration configuration)
    {
        foreach (var warning in configuration.Warnings) LogWarning(warning);
    }

    [LoggerMessage(9200, LogLevel.Warning, "the configuration stays as it was: {Why}")]
    private partial void LogNotReloaded(string why);

    [LoggerMessage(9201, LogLevel.Warning, "{Warning}")]
    private partial void LogWarning(string warning);
}

/// <summary>What was read for an external server.</summary>
/// <param name="Options">How it runs.</param>
/// <param name="Warnings">What is odd but does no harm, one line each.</param>
internal sealed record FleetConfiguration(FleetOptions Options, IReadOnlyList<string> Warnings);
