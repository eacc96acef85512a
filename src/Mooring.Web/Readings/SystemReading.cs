namespace Mooring.Web.Readings;

/// <summary>One system.</summary>
/// <param name="Name">Its name, as in <c>/health/ready</c>.</param>
/// <param name="Problem">One line that says what is wrong; null while all is well.</param>
public readonly record struct SystemReading(string Name, string? Problem);
