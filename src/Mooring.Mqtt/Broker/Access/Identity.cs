namespace Mooring.Mqtt.Broker.Access;

/// <summary>Who a client is, as far as it has proven it.</summary>
/// <param name="ClientId">Client identifier; anybody may choose any.</param>
/// <param name="UserName">User whose password was right, or name in the client's certificate; null for an anonymous client.</param>
internal sealed record Identity(string ClientId, string? UserName)
{
    /// <summary>First part of a user name <c>company/car</c>; null when the name has no such form.</summary>
    internal string? Company => Parts is [var company, _] ? company : null;

    /// <summary>Second part of a user name <c>company/car</c>; null when the name has no such form.</summary>
    internal string? Car => Parts is [_, var car] ? car : null;

    private string[] Parts => UserName?.Split('/') ?? [];
}
