namespace Mooring.Web.Readings;

/// <summary>A number of the overview.</summary>
/// <param name="Name">What it counts, such as <c>cars.running</c>.</param>
/// <param name="Value">The number.</param>
/// <param name="IsTotal">It only grows, and people are shown how much in a second.</param>
public readonly record struct FigureReading(string Name, double Value, bool IsTotal = false);
