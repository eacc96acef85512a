using System.Collections.Concurrent;

namespace Mooring.Tunnel.Server.Accounts;

/// <summary>What each account uses, so that quotas are judged without counting everything that is connected.</summary>
internal sealed class AccountUsages(TimeProvider time)
{
    /// <summary>Accounts remembered; beyond it those that use nothing are forgotten.</summary>
    private const int AccountsMax = 100_000;

    private readonly ConcurrentDictionary<string, AccountUsage> _byAccount = new(StringComparer.Ordinal);

    public AccountUsage Of(Account account)
    {
        if (_byAccount.Count >= AccountsMax) Forget();
        var usage = _byAccount.GetOrAdd(account.Id, static (_, made) => new AccountUsage(made.Time, made.Before), (Time: time, Before: account.Traffic));
        usage.Obey(account.Quota);
        return usage;
    }

    /// <summary>An operator changed a quota: tunnels that are up obey it at once.</summary>
    public void Change(string accountId, Quota quota)
    {
        if (_byAccount.TryGetValue(accountId, out var usage)) usage.Obey(quota);
    }

    /// <summary>Payload bytes that an account's tunnels carried today; null when it has not been seen.</summary>
    public long? BytesToday(string accountId) => _byAccount.TryGetValue(accountId, out var usage) ? usage.BytesToday : null;

    /// <summary>Begins a new day where it is time.</summary>
    public void Tick()
    {
        foreach (var (_, usage) in _byAccount) usage.Tick();
    }

    /// <summary>What is to be written down of each account.</summary>
    public List<(string Account, Traffic Traffic)> TakeTraffic()
    {
        var taken = new List<(string, Traffic)>();
        foreach (var (account, usage) in _byAccount)
        {
            if (usage.TryTakeTraffic(out var traffic)) taken.Add((account, traffic));
        }
        return taken;
    }

    private void Forget()
    {
        foreach (var (account, usage) in _byAccount)
        {
            if (usage.IsNone) _byAccount.TryRemove(account, out _);
        }
    }
}
