using Mooring.Chat.Access;

namespace Mooring.Chat;

/// <summary>Makes tokens for clients.</summary>
public static class ChatTokens
{
    /// <summary>A new token, and the line that stands for it in the tokens file.</summary>
    /// <param name="name">The client id that may be used, or <c>*</c> for any; for a hook <c>room:name</c>.</param>
    /// <param name="role">What it opens: <c>member</c>, <c>operator</c> or <c>hook</c>.</param>
    /// <returns>The token, for the client; the line, for the file.</returns>
    /// <exception cref="ArgumentException">The name or the role is not allowed.</exception>
    public static (string Token, string Line) Create(string name, string role) => TokensFile.ToAccount(name, role) is null
        ? throw new ArgumentException($"'{name} {role}': use a client id or * with member or operator, or room:name with hook", nameof(name))
        : TokensFile.Create(name, role);
}
