namespace Mooring.Chat.Access;

/// <summary>What a token opens.</summary>
/// <param name="Name">The client id that it may use, or <c>*</c> for any.</param>
/// <param name="IsOperator">Whether it may list, pause, close, mute and ban anybody.</param>
internal sealed record ChatAccount(string Name, bool IsOperator)
{
    /// <summary>Name of an account that may use any id.</summary>
    internal const string Anyone = "*";

    /// <summary>Who presents the operator's token.</summary>
    internal static readonly ChatAccount Operator = new(Anyone, true);

    internal bool MayUse(string id) => Name == Anyone || Name == id;
}
