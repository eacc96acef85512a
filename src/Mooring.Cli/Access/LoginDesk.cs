using System.Net;
using Mooring.Kernel.Hashing;

namespace Mooring.Cli.Access;

/// <summary>Verifies passwords: a bounded number at a time, never in less time for an account that does not exist.</summary>
internal sealed class LoginDesk(AccessStore store, LoginThrottle throttle, AccessLimits limits) : IDisposable
{
    private readonly SemaphoreSlim _verifying = new(limits.VerificationsAtOnce);
    private readonly Lazy<PasswordHash> _nobody = new(() => PasswordHash.Create(AccessSecret.NewSession()));
    private int _waiting;

    /// <summary>Tries a name and a password.</summary>
    internal async Task<LoginOutcome> TryAsync(string name, string password, IPAddress? address, CancellationToken cancellationToken)
    {
        if (throttle.Wait(address, name) is { } wait) return new LoginOutcome(false, wait);
        if (Interlocked.Increment(ref _waiting) > limits.VerificationsAtOnce + limits.VerificationsWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return new LoginOutcome(false, TimeSpan.FromSeconds(1));
        }
        try
        {
            await _verifying.WaitAsync(cancellationToken);
            try
            {
                // Guesses that waited together are counted one by one.
                if (throttle.Wait(address, name) is { } longer) return new LoginOutcome(false, longer);
                var isRight = await VerifyAsync(name, password, cancellationToken);
                if (isRight) throttle.Succeeded(name);
                else throttle.Failed(address, name);
                return new LoginOutcome(isRight, null);
            }
            finally
            {
                _verifying.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public void Dispose() => _verifying.Dispose();

    private async Task<bool> VerifyAsync(string name, string password, CancellationToken cancellationToken)
    {
        if (password.Length > AccessLimits.PasswordLengthMax) return false;
        var stored = await store.PasswordAsync(name, cancellationToken);
        var isKnown = PasswordHash.TryParse(stored ?? "", out var hash, out _);
        return await Task.Run(() => (hash ?? _nobody.Value).Verify(password), cancellationToken) && isKnown;
    }
}

/// <summary>What came of an attempt.</summary>
/// <param name="IsRight">Whether name and password belong together.</param>
/// <param name="Wait">How long to wait before the next one; null when it was judged.</param>
internal readonly record struct LoginOutcome(bool IsRight, TimeSpan? Wait);
