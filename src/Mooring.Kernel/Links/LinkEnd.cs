namespace Mooring.Kernel.Links;

/// <summary>Why one connection of a link ended.</summary>
/// <param name="Reason">In words for an operator.</param>
/// <param name="IsFatal">
/// True when trying again cannot cure it (bad credentials, unknown tenant, wrong version): the link stops.
/// </param>
/// <param name="UpFor">
/// How long the connection was up, zero when it never was. Leave it out: <see cref="Reconnector"/> measures it from the
/// moment the connection reported itself up.
/// </param>
public readonly record struct LinkEnd(string Reason, bool IsFatal = false, TimeSpan? UpFor = null)
{
    /// <summary>An end after which trying again makes sense.</summary>
    /// <param name="reason">In words for an operator.</param>
    /// <returns>The end.</returns>
    public static LinkEnd Retry(string reason) => new(reason);

    /// <summary>An end that trying again cannot cure.</summary>
    /// <param name="reason">In words for an operator.</param>
    /// <returns>The end.</returns>
    public static LinkEnd Fatal(string reason) => new(reason, IsFatal: true);
}
