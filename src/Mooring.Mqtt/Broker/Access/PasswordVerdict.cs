namespace Mooring.Mqtt.Broker.Access;

/// <summary>What a password check found.</summary>
internal enum PasswordVerdict
{
    /// <summary>No such user, or not the password.</summary>
    Wrong,

    /// <summary>The password of that user.</summary>
    Right,

    /// <summary>The address had too many wrong passwords; nothing was checked.</summary>
    TooManyFailed,

    /// <summary>Too many checks wait already; nothing was checked.</summary>
    Busy,
}
