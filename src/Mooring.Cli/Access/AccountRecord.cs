namespace Mooring.Cli.Access;

/// <summary>An account as it may be shown.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Role">What it may do.</param>
/// <param name="HasPassword">Whether it can log in, or has tokens only.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Tokens">Its tokens.</param>
internal sealed record AccountRecord(string Name, OperatorRole Role, bool HasPassword, DateTimeOffset CreatedAt, IReadOnlyList<TokenRecord> Tokens)
{
    private const int NameLengthMax = 64;

    /// <summary>What names are allowed, in words.</summary>
    internal const string NameRule = "use 1 to 64 letters, digits, '.', '-', '_' and '@', none of them first but letters and digits";

    internal static bool IsName(string name) =>
        name.Length is > 0 and <= NameLengthMax && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '@');

    /// <summary>What is wrong with a new password; null when nothing is.</summary>
    internal static string? PasswordProblem(string password) => password.Length switch
    {
        < AccessLimits.PasswordLengthMin => $"a password has at least {AccessLimits.PasswordLengthMin} characters",
        > AccessLimits.PasswordLengthMax => $"a password has at most {AccessLimits.PasswordLengthMax} characters",
        _ => null,
    };
}

/// <summary>A token without its secret.</summary>
/// <param name="Label">What it is for.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends; null for never.</param>
/// <param name="UsedAt">When it was used last; null for never.</param>
internal sealed record TokenRecord(string Label, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? UsedAt);
