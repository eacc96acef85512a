using System.CommandLine;
using System.Runtime.InteropServices;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Configuration;

/// <summary>
/// SIGHUP: reads the configuration again and says of every change whether it is taken over or waits for a restart. A configuration with an
/// error changes nothing.
/// </summary>
internal sealed partial class ConfigurationReload(ConfigurationReader reader, ParseResult typed, EffectiveConfiguration atStart)
{
    private readonly Lock _reading = new();
    private EffectiveConfiguration _latest = atStart;

    /// <summary>Has the host listen to the signal.</summary>
    /// <param name="host">The host.</param>
    /// <param name="apply">Takes over what no role reads itself.</param>
    internal void AddTo(MooringHost host, Action<ParseResult, IServiceProvider> apply) => host.Services.AddHostedService(services =>
        new Listening(this, parsed => apply(parsed, services), services.GetRequiredService<ILogger<ConfigurationReload>>()));

    /// <summary>For a role that was told to read again: the newest configuration without an error.</summary>
    internal ParseResult Latest()
    {
        lock (_reading)
        {
            try
            {
                return (_latest = reader.Read(typed)).Parsed;
            }
            catch (UserErrorException)
            {
                // The listener below says what is wrong, once for all roles.
                return _latest.Parsed;
            }
        }
    }

    private sealed partial class Listening(ConfigurationReload owner, Action<ParseResult> apply, ILogger<ConfigurationReload> logger) : IHostedService
    {
        private readonly ILogger _logger = logger;
        private readonly Lock _one = new();
        private EffectiveConfiguration _known = owner._latest;
        private PosixSignalRegistration? _hangUp;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                lock (_one) Reload();
            });
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            _hangUp?.Dispose();
            return Task.CompletedTask;
        }

        private void Reload()
        {
            try
            {
                var now = owner.ReadAgain();
                foreach (var change in now.ChangedSince(_known))
                {
                    if (change.Setting.Reloads) LogTaken(change.Setting.Key, change.Shown);
                    else LogNeedsRestart(change.Setting.Key, change.Shown);
                }
                _known = now;
                apply(now.Parsed);
            }
            catch (UserErrorException exception)
            {
                foreach (var line in exception.Lines) LogNotReloaded(line);
            }
        }

        // Warnings, all three: whoever sends the signal wants the answer, and 'up' logs from Warning on.
        [LoggerMessage(9010, LogLevel.Warning, "configuration: {Key} is {Value} now")]
        private partial void LogTaken(string key, string value);

        [LoggerMessage(9011, LogLevel.Warning, "configuration: {Key} becomes {Value} at the next start")]
        private partial void LogNeedsRestart(string key, string value);

        [LoggerMessage(9012, LogLevel.Warning, "the configuration stays as it was: {Why}")]
        private partial void LogNotReloaded(string why);
    }

    private EffectiveConfiguration ReadAgain()
    {
        lock (_reading) return _latest = reader.Read(typed);
    }
}
