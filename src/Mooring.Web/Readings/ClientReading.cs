namespace Mooring.Web.Readings;

/// <summary>A session of the broker.</summary>
/// <param name="Id">Client identifier.</param>
/// <param name="User">Its user; null for an anonymous one.</param>
/// <param name="Address">Where it comes from; null for a part of this process, and for one that is away.</param>
/// <param name="State"><c>connected</c>, <c>local</c> or <c>away</c>.</param>
/// <param name="Subscriptions">Its subscriptions.</param>
/// <param name="Waiting">Messages that wait for it.</param>
/// <param name="Received">Messages that it sent.</param>
/// <param name="Sent">Messages sent to it.</param>
public readonly record struct ClientReading(
    string Id, string? User, string? Address, string State, int Subscriptions, int Waiting, long Received, long Sent);
