namespace Mooring.Fleet.Cars;

/// <summary>One session that ended, for the operator's history.</summary>
internal sealed record SessionRecord(string SessionId, DateTimeOffset Since, DateTimeOffset Until, string Reason);
