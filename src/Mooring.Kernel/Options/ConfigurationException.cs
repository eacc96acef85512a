namespace Mooring.Kernel.Options;

/// <summary>A configuration cannot be used. Its message is for a person: one line for each error, no stack trace needed.</summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>Creates the exception with all errors that were found.</summary>
    /// <param name="source">Where the configuration came from, such as a file name.</param>
    /// <param name="errors">What is wrong; at least one.</param>
    public ConfigurationException(string source, IReadOnlyList<OptionsError> errors)
        : base(string.Join('\n', errors.Select(e => Line(source, e))))
    {
        ConfigurationSource = source;
        Errors = errors;
    }

    /// <summary>Creates the exception with one error about the configuration as a whole.</summary>
    /// <param name="source">Where the configuration came from, such as a file name.</param>
    /// <param name="error">What is wrong.</param>
    public ConfigurationException(string source, string error)
        : this(source, [new OptionsError("", null, error)])
    {
    }

    /// <summary>Where the configuration came from.</summary>
    public string ConfigurationSource { get; }

    /// <summary>What is wrong.</summary>
    public IReadOnlyList<OptionsError> Errors { get; }

    private static string Line(string source, OptionsError error) =>
        source.Length == 0 ? error.ToString() : $"{source}: {error}";
}
