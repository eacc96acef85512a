namespace Mooring.Chat.Access;

/// <summary>What a token opens.</summary>
/// <param name="Name">The client id that it may use, or <c>*</c> for any.</param>
/// <param name="IsOperator">Whether it may list, pause, close, mute and ban anybody.</param>
/// <param name="HookRoom">The room into which an incoming hook speaks as <paramref name="Name"/>; null for a client's account.</param>
internal sealed record ChatAccount(string Name, bool IsOperator, string? HookRoom = null)
{
    /// <summary>Name of an account that may use any id.</summary>
    internal const string Anyone = "*";

    /// <summary>Who presents the operator's token.</summary>
    internal static readonly ChatAccount Operator = new(Anyone, true);

    /// <summary>Unix milliseconds from which on it opens nothing any more.</summary>
    internal long ExpiresAt { get; init; } = long.MaxValue;

    internal bool MayUse(string id) => Name == Anyone || Name == id;
}
