using System.Collections.Immutable;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Mooring.Cli.Hosting;

/// <summary>
/// The least level that is logged, and those of single categories. They can be changed while the program runs; loggers keep their cached
/// answer until then.
/// </summary>
internal sealed class RunningLogLevel(LogLevel level) : IConfigureOptions<LoggerFilterOptions>, IOptionsChangeTokenSource<LoggerFilterOptions>
{
    /// <summary>Categories with a level of their own: a person looks into a few at a time.</summary>
    internal const int CategoriesMax = 64;

    private readonly Lock _gate = new();
    private CancellationTokenSource _changed = new();
    private ImmutableSortedDictionary<string, LogLevel> _categories = ImmutableSortedDictionary.Create<string, LogLevel>(StringComparer.OrdinalIgnoreCase);
    private volatile int _level = (int)level;

    public string Name => Options.DefaultName;

    internal LogLevel Level
    {
        get => (LogLevel)_level;
        set
        {
            if (Level == value) return;
            _level = (int)value;
            Changed();
        }
    }

    /// <summary>Levels of categories, by the beginning of their names.</summary>
    internal ImmutableSortedDictionary<string, LogLevel> Categories => Volatile.Read(ref _categories);

    public IChangeToken GetChangeToken() => new CancellationChangeToken(Volatile.Read(ref _changed).Token);

    public void Configure(LoggerFilterOptions options)
    {
        var level = Level;
        options.MinLevel = level;
        options.Rules.Add(new LoggerFilterRule(null, "Microsoft", level > LogLevel.Information ? level : LogLevel.Warning, null));
        // A start that fails is told once, by the verb, without the host's stack trace.
        options.Rules.Add(new LoggerFilterRule(null, "Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None, null));
        foreach (var (category, own) in Categories) options.Rules.Add(new LoggerFilterRule(null, category, own, null));
    }

    /// <summary>Gives a category a level of its own, or takes it back with null.</summary>
    /// <returns>False when there are too many of them.</returns>
    internal bool TrySet(string category, LogLevel? own)
    {
        lock (_gate)
        {
            var categories = Categories;
            if (own is not null && !categories.ContainsKey(category) && categories.Count >= CategoriesMax) return false;
            Volatile.Write(ref _categories, own is { } level ? categories.SetItem(category, level) : categories.Remove(category));
        }
        Changed();
        return true;
    }

    private void Changed()
    {
        using var changed = Interlocked.Exchange(ref _changed, new CancellationTokenSource());
        changed.Cancel();
    }
}
