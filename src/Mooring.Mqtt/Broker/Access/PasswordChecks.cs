using System.Security.Cryptography;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>
/// Checks passwords on the thread pool, few at a time: a check is slow on purpose, and a flood of log-ins must not take the machine.
/// A password that was right is recognised again without the slow function, by a digest under a key of this process, so that clients
/// that reconnect come back at once; it counts only as long as the user's stored hash is the same.
/// </summary>
internal sealed class PasswordChecks(MqttBrokerLimits limits) : IDisposable
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes);
    private readonly SemaphoreSlim _running = new(limits.PasswordChecks);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (string Hash, byte[] Digest)> _recent = new(StringComparer.Ordinal);
    private int _waiting;

    /// <summary>Whether this password was found right before, for the hash that the user has now.</summary>
    internal bool IsKnown(UserTable users, string user, ReadOnlySpan<byte> password)
    {
        (string Hash, byte[] Digest) recent;
        lock (_gate)
        {
            if (!_recent.TryGetValue(user, out recent)) return false;
        }
        return users.Find(user)?.ToString() == recent.Hash
            && CryptographicOperations.FixedTimeEquals(recent.Digest, HMACSHA256.HashData(_key, password));
    }

    /// <summary>Checks a password; <paramref name="isWanted"/> is asked when its turn comes, for the client may be gone by then.</summary>
    internal async Task<PasswordVerdict> VerifyAsync(UserTable users, string user, byte[] password, Func<bool> isWanted)
    {
        if (Interlocked.Increment(ref _waiting) > limits.PasswordChecksWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return PasswordVerdict.Busy;
        }
        try
        {
            await _running.WaitAsync().ConfigureAwait(false);
            try
            {
                return isWanted() ? await Task.Run(() => Verify(users, user, password)).ConfigureAwait(false) : PasswordVerdict.Wrong;
            }
            finally
            {
                _running.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public void Dispose() => _running.Dispose();

    private PasswordVerdict Verify(UserTable users, string user, byte[] password)
    {
        var hash = users.Find(user);
        // A user that does not exist costs as much as one that does: time does not tell which names there are.
        if ((hash ?? users.Decoy) is not { } any || !any.Verify(password) || hash is null) return PasswordVerdict.Wrong;
        lock (_gate)
        {
            if (_recent.Count >= limits.RecognisedPasswords) _recent.Clear();
            _recent[user] = (hash.ToString(), HMACSHA256.HashData(_key, password));
        }
        return PasswordVerdict.Right;
    }
}
