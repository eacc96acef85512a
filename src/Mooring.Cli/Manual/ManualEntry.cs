namespace Mooring.Cli.Manual;

/// <summary>A file, variable, exit status or example with what is said of it.</summary>
internal sealed record ManualEntry(string Term, string Text);
