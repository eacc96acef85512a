using Mooring.Kernel.Options;

namespace Mooring.Chat.Configuration;

/// <summary>A setting as it takes effect.</summary>
/// <param name="Key">Which one.</param>
/// <param name="Value">Its value, as it was written.</param>
/// <param name="Source">Where it comes from.</param>
public sealed record ChatSetting(ChatKey Key, string Value, string Source);

/// <summary>Settings from the command line, the environment, a properties file and the defaults; for each key the first that has it.</summary>
/// <param name="Options">The options.</param>
/// <param name="Settings">Every key with its value and where it comes from.</param>
/// <param name="Warnings">What was odd, one line each.</param>
public sealed record ChatConfiguration(ChatOptions Options, IReadOnlyList<ChatSetting> Settings, IReadOnlyList<string> Warnings)
{
    private const string FileVariable = "CHAT_SERVER_CONFIG_FILE";

    /// <summary>Reads all layers.</summary>
    /// <param name="commandLine">Values by key.</param>
    /// <param name="configFile">The file that the command line names; null for none.</param>
    /// <param name="environment">Reads a variable; null when it is not set.</param>
    /// <param name="isStrict">Whether a bad value in the environment or the file is an error; otherwise the next layer is used.</param>
    /// <param name="searches">Whether a file that nobody named is looked for where the classic server has it.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="ConfigurationException">It cannot be used; all errors at once.</exception>
    public static ChatConfiguration Load(
        IReadOnlyDictionary<string, string> commandLine, string? configFile, Func<string, string?> environment, bool isStrict, bool searches = true)
    {
        ArgumentNullException.ThrowIfNull(commandLine);
        ArgumentNullException.ThrowIfNull(environment);
        var errors = new OptionsErrors();
        var warnings = new List<string>();
        var path = configFile ?? NullIfEmpty(environment(FileVariable)) ?? (searches ? PropertiesFile.Find(environment("HOME")) : null);
        var file = path is null ? [] : PropertiesFile.Read(path, errors, warnings);
        var options = new ChatOptions { ConfigFile = path };
        var settings = new List<ChatSetting>();
        foreach (var key in ChatKeys.All)
        {
            (string? Value, string Source)[] layers =
            [
                (commandLine.GetValueOrDefault(key.Name), "command line"),
                (NullIfEmpty(environment(key.Variable)), $"environment {key.Variable}"),
                (file.GetValueOrDefault(key.Name), path ?? ""),
            ];
            var setting = new ChatSetting(key, key.Standard, "default");
            foreach (var (value, source) in layers)
            {
                if (value is null || !TryApply(key, value, source, ref options)) continue;
                setting = new ChatSetting(key, value, source);
                break;
            }
            settings.Add(setting);
        }
        // Clients of the classic server open a connection for every command.
        if (options.ClassicWireFormat && settings.Any(setting => setting is { Key.Name: "allow_detached", Source: "default" }))
            options = options with { AllowDetached = true };
        options.Validate(errors);
        errors.ThrowIfAny("");
        return new ChatConfiguration(options, settings, warnings);

        bool TryApply(ChatKey key, string value, string source, ref ChatOptions options)
        {
            try
            {
                options = key.Apply(options, value);
                return true;
            }
            catch (FormatException exception)
            {
                var isError = isStrict || source == "command line";
                if (isError) errors.Add(source == "command line" ? key.Option : $"{source}: {key.Name}", key.IsSecret ? "" : value, exception.Message);
                else warnings.Add($"{source}: {key.Name}: '{value}' is not used: {exception.Message}");
                return false;
            }
        }
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
