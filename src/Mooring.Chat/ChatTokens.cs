using Mooring.Chat.Access;
using Mooring.Chat.Protocol;

namespace Mooring.Chat;

/// <summary>Makes tokens for clients.</summary>
public static class ChatTokens
{
    /// <summary>A new token, and the line that stands for it in the tokens file.</summary>
    /// <param name="client">The client id that may be used, or <c>*</c> for any.</param>
    /// <param name="isOperator">Whether it also opens what operators do.</param>
    /// <returns>The token, for the client; the line, for the file.</returns>
    /// <exception cref="ArgumentException">The id is not allowed.</exception>
    public static (string Token, string Line) Create(string client, bool isOperator)
    {
        if (client != ChatAccount.Anyone && !ChatNames.IsName(client))
            throw new ArgumentException("an id is 1 to 64 characters without blanks, colons and controls, or *", nameof(client));
        return TokensFile.Create(client, isOperator);
    }
}
