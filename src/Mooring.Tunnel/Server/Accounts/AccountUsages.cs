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
        var usage = _byAccount.GetOrAdd(account.Id, static (_, time) => new AccountUsage(time), time);
        usage.Obey(account.Quota);
        return usage;
    }

    /// <summary>An operator changed a quota: tunnels that are up obey it at once.</summary>
    public void Change(string accountId, Quota quota)
    {
        if (_byAccount.TryGetValue(accountId, out var usage)) usage.Obey(quota);
    }

    private void Forget()
    {
        foreach (var (account, usage) in _byAccount)
        {
            if (usage.IsNone) _byAccount.TryRemove(account, out _);
        }
    }
}
