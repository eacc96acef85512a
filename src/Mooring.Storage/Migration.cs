namespace Mooring.Storage;

/// <summary>One step of a slice's tables. A step that was released is never changed, only followed by another.</summary>
/// <param name="Version">1 for the first, one more for each that follows.</param>
/// <param name="Name">What it does, in a few words; for the table of applied steps.</param>
/// <param name="Sql">
/// Statements that SQLite and PostgreSQL both understand: types TEXT, BIGINT, DOUBLE PRECISION, BOOLEAN and BYTEA, keys given by the
/// program, <c>ON CONFLICT</c> for upserts, no functions of one of the two.
/// </param>
public sealed record Migration(int Version, string Name, string Sql);
