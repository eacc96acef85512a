namespace Mooring.Mqtt.Broker.Access;

/// <summary>What a password check found.</summary>
internal enum PasswordVerdict
{
    /// <summary>No such user, or not the password.</summary>
    Wrong,

    /// <summary>The password of that user.</summary>
    Right,

    /// <summary>Too many checks wait already; nothing was checked.</summary>
    Busy,
}
