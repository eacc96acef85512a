namespace Mooring.Kernel.Links;

/// <summary>One move of a link from a state to another.</summary>
/// <param name="From">The state before.</param>
/// <param name="To">The state after.</param>
/// <param name="Reason">Why, in words for an operator; empty when the move needs no explanation.</param>
/// <param name="At">When, by the link's clock.</param>
public readonly record struct LinkTransition(LinkState From, LinkState To, string Reason, DateTimeOffset At);
