using Spectre.Console;

namespace Mooring.Cli.Hosting;

/// <summary>The one table that <c>mooring up</c> prints: what is where, and what to try next.</summary>
internal sealed class AddressTable
{
    private readonly List<(string What, string Where, string Try)> _rows = [];

    internal void Add(string what, string where, string next) => _rows.Add((what, where, next));

    internal void Print(string headline)
    {
        if (Console.IsOutputRedirected)
        {
            PrintPlain(headline);
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("what", "where", "try");
        foreach (var (what, where, next) in _rows)
        {
            table.AddRow(Markup.Escape(what), Markup.Escape(where), Markup.Escape(next));
        }

        AnsiConsole.MarkupLineInterpolated($"[bold]{headline}[/]");
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine("Ctrl-C stops everything.");
    }

    /// <summary>Without a terminal: aligned columns that a script can cut and that never wrap.</summary>
    private void PrintPlain(string headline)
    {
        var what = _rows.Max(row => row.What.Length);
        var where = _rows.Max(row => row.Where.Length);
        Console.WriteLine(headline);
        foreach (var row in _rows)
        {
            Console.WriteLine($"  {row.What.PadRight(what)}  {row.Where.PadRight(where)}  {row.Try}".TrimEnd());
        }

        Console.WriteLine("Ctrl-C stops everything.");
        Console.Out.Flush();
    }
}
