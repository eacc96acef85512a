namespace Mooring.Mqtt.Client;

/// <summary>Who the client says it is. The password never appears in <see cref="ToString"/> or in a log.</summary>
/// <param name="UserName">User name; MQTT 5.0 allows a password without one.</param>
/// <param name="Password">Password; null for none.</param>
public sealed record MqttCredentials(string? UserName, string? Password)
{
    /// <summary>The user name alone.</summary>
    /// <returns>Text that may be logged.</returns>
    public override string ToString() => $"user '{UserName}'";
}
