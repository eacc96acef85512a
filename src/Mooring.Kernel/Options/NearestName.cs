namespace Mooring.Kernel.Options;

/// <summary>Finds what a person probably meant to write.</summary>
public static class NearestName
{
    /// <summary>Names longer than this are not compared: nobody mistypes them by one letter, and the cost grows with the square.</summary>
    public const int NameLengthMax = 64;

    /// <summary>The candidate nearest to a name, when one is near enough: at most a third of its letters wrong, and at most three.</summary>
    /// <param name="name">What was written.</param>
    /// <param name="candidates">What is known.</param>
    /// <returns>The nearest candidate, or null.</returns>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        string? nearest = null;
        var least = int.MaxValue;
        foreach (var candidate in candidates)
        {
            if (name.Length > NameLengthMax || candidate.Length > NameLengthMax) continue;
            var distance = Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (distance >= least || distance > Math.Clamp(candidate.Length / 3, 1, 3)) continue;
            (nearest, least) = (candidate, distance);
        }
        return nearest;
    }

    // Optimal string alignment: insert, delete, replace, and swap of two neighbours each count one.
    internal static int Distance(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        Span<int> beforeLast = stackalloc int[b.Length + 1];
        Span<int> last = stackalloc int[b.Length + 1];
        Span<int> row = stackalloc int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++) last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(replace, Math.Min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
            }
            last.CopyTo(beforeLast);
            row.CopyTo(last);
        }
        return last[b.Length];
    }
}
