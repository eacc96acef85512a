namespace Mooring.Cli.Manual;

/// <summary>How a page is set: for the terminal that it is printed at, or plainly.</summary>
/// <param name="Width">Characters of a line.</param>
/// <param name="IsBold">Headings are bold.</param>
internal sealed record PageStyle(int Width, bool IsBold)
{
    /// <summary>Lines that are longer are tiring to read.</summary>
    private const int WidthMax = 100;

    private const int WidthMin = 40;

    /// <summary>For a file, a pipe, a pager.</summary>
    internal static PageStyle Plain { get; } = new(80, IsBold: false);

    internal static PageStyle OfConsole() => Console.IsOutputRedirected
        ? Plain
        : new(
            Console.WindowWidth is > 0 and var width ? Math.Clamp(width, WidthMin, WidthMax) : Plain.Width,
            string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb"));
}
