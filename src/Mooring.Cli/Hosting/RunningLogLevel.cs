using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Mooring.Cli.Hosting;

/// <summary>The least level that is logged. It can be changed while the program runs; loggers keep their cached answer until then.</summary>
internal sealed class RunningLogLevel(LogLevel level) : IConfigureOptions<LoggerFilterOptions>, IOptionsChangeTokenSource<LoggerFilterOptions>
{
    private CancellationTokenSource _changed = new();
    private volatile int _level = (int)level;

    public string Name => Options.DefaultName;

    internal LogLevel Level
    {
        get => (LogLevel)_level;
        set
        {
            if (Level == value) return;
            _level = (int)value;
            using var changed = Interlocked.Exchange(ref _changed, new CancellationTokenSource());
            changed.Cancel();
        }
    }

    public IChangeToken GetChangeToken() => new CancellationChangeToken(_changed.Token);

    public void Configure(LoggerFilterOptions options)
    {
        var level = Level;
        options.MinLevel = level;
        options.Rules.Add(new LoggerFilterRule(null, "Microsoft", level > LogLevel.Information ? level : LogLevel.Warning, null));
        // A start that fails is told once, by the verb, without the host's stack trace.
        options.Rules.Add(new LoggerFilterRule(null, "Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None, null));
    }
}
