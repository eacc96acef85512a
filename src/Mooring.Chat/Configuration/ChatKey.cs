namespace Mooring.Chat.Configuration;

/// <summary>
/// One setting, with one name in all its forms: <c>max_clients</c> in a file, <c>CHAT_SERVER_MAX_CLIENTS</c> in the environment and
/// <c>--max-clients</c> on the command line.
/// </summary>
public sealed class ChatKey
{
    private readonly Func<ChatOptions, string, ChatOptions> _apply;

    internal ChatKey(string name, string standard, string description, string allowed, Func<ChatOptions, string, ChatOptions> apply)
    {
        Name = name;
        Standard = standard;
        Description = description;
        Allowed = allowed;
        _apply = apply;
    }

    /// <summary>Name in a file.</summary>
    public string Name { get; }

    /// <summary>Name in the environment.</summary>
    public string Variable => $"CHAT_SERVER_{Name.ToUpperInvariant()}";

    /// <summary>Name on the command line.</summary>
    public string Option => $"--{Name.Replace('_', '-')}";

    /// <summary>The default, as it would be written.</summary>
    public string Standard { get; }

    /// <summary>What it is for.</summary>
    public string Description { get; }

    /// <summary>What may be written.</summary>
    public string Allowed { get; }

    /// <summary>Whether it is either on or off.</summary>
    public bool IsFlag => Allowed == ChatKeys.FlagValues;

    /// <summary>Whether it is about the process, which a program with other parts has settings of its own for.</summary>
    public bool IsOfProcess { get; internal init; }

    /// <summary>Whether its value must not be shown.</summary>
    public bool IsSecret => Name is "admin_token" or "cert_password";

    /// <summary>What is wrong with a value; null when it is allowed.</summary>
    /// <param name="value">The value, as it would be written.</param>
    /// <returns>The rule.</returns>
    public string? Problem(string value)
    {
        try
        {
            Apply(new ChatOptions(), value);
            return null;
        }
        catch (FormatException exception)
        {
            return exception.Message;
        }
    }

    /// <exception cref="FormatException">The value is not allowed.</exception>
    internal ChatOptions Apply(ChatOptions options, string value) => _apply(options, value);
}
