namespace Mooring.Cli.Access;

/// <summary>Something that was done, or was tried.</summary>
/// <param name="Id">Number; later ones are higher.</param>
/// <param name="At">When.</param>
/// <param name="Who">The account; "local" for this machine, "?" for nobody known.</param>
/// <param name="Role">Its role then; empty for none.</param>
/// <param name="From">Address, or "command line".</param>
/// <param name="Action">Method and path, or the command.</param>
/// <param name="Outcome">Status of the answer, or what came of it.</param>
/// <param name="Milliseconds">How long it took.</param>
internal sealed record AuditEntry(long Id, DateTimeOffset At, string Who, string Role, string From, string Action, string Outcome, long Milliseconds);
