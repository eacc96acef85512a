using System.Net;
using Mooring.Kernel.Options;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>Who may connect and what they may do, as the files say now. A reload that fails changes nothing.</summary>
internal sealed class AccessControl : IDisposable
{
    private readonly PasswordChecks _checks;
    private readonly FailedLogins _failed;
    private volatile Rules _current;

    internal AccessControl(MqttBrokerOptions options, OptionsErrors errors)
    {
        _checks = new PasswordChecks(options.Limits);
        _failed = new FailedLogins(options.Limits.FailedLoginsPerMinute);
        _current = Load(options, errors);
    }

    /// <summary>Whether a client without name and certificate is let in on a listener.</summary>
    internal bool LetsAnonymousIn(MqttListener listener) => listener.Anonymous ?? (listener.IsLoopback && _current.Users is null);

    /// <summary>What a client may do; null for everything.</summary>
    internal Permissions? PermissionsOf(Identity identity) => _current.List.For(identity);

    /// <summary>Whether somebody of this name could still connect: false after the user was removed.</summary>
    internal bool IsKnown(string user) => _current.Users is not { } users || users.Contains(user);

    /// <summary>Throws <see cref="ConfigurationException"/>, and nothing changes, when the files cannot be used.</summary>
    internal void Reload(MqttBrokerOptions options)
    {
        var errors = new OptionsErrors();
        var loaded = Load(options, errors);
        errors.ThrowIfAny("");
        _current = loaded;
    }

    /// <summary>
    /// Judges what can be judged at once. A password that has to be checked is left to <see cref="CheckAsync"/>: then the result is
    /// <see cref="MqttReasonCode.ContinueAuthentication"/>.
    /// </summary>
    /// <param name="entrance">Where the client came in, and its certificate, already found good by TLS.</param>
    /// <param name="user">User name as given, if any.</param>
    /// <param name="password">Password as given.</param>
    /// <param name="name">The name that the client has proven; null for an anonymous one.</param>
    internal MqttReasonCode Judge(
        ClientEntrance entrance, string? user, ReadOnlySpan<byte> password, out string? name)
    {
        name = null;
        if (entrance.Certificate is { } certificate)
        {
            name = CertificateName.Read(certificate, entrance.Listener.CertificateIdentity);
            return name is null ? MqttReasonCode.NotAuthorized : MqttReasonCode.Success;
        }
        var users = _current.Users;
        if (user is null || users is null)
            return LetsAnonymousIn(entrance.Listener) ? MqttReasonCode.Success : MqttReasonCode.NotAuthorized;
        if (!_checks.IsKnown(users, user, password)) return MqttReasonCode.ContinueAuthentication;
        name = user;
        return MqttReasonCode.Success;
    }

    /// <summary>The slow check, on the thread pool.</summary>
    internal async Task<PasswordVerdict> CheckAsync(
        string user, byte[] password, EndPoint? remote, Func<long> now, Func<bool> isWanted)
    {
        if (_failed.IsTooMany(remote, now())) return PasswordVerdict.TooManyFailed;
        if (_current.Users is not { } users) return PasswordVerdict.Wrong;
        var verdict = await _checks.VerifyAsync(users, user, password, isWanted).ConfigureAwait(false);
        if (verdict == PasswordVerdict.Wrong) _failed.Add(remote, now());
        return verdict;
    }

    public void Dispose() => _checks.Dispose();

    private static Rules Load(MqttBrokerOptions options, OptionsErrors errors) => new(
        AccessFiles.ReadUsers(options.UsersFile, errors),
        new AccessList(AccessFiles.ReadRules(options.AccessFile, errors) ?? options.AccessRules));

    private sealed record Rules(UserTable? Users, AccessList List);
}
