using System.Globalization;

namespace Mooring.Kernel.Options;

/// <summary>
/// Collects everything that is wrong in a configuration, so that a person mends it in one go. Validators add to it and
/// never throw; whoever started the validation calls <see cref="ThrowIfAny"/> once.
/// </summary>
public sealed class OptionsErrors
{
    /// <summary>Errors kept. A configuration with more is not that kind of file; the rest would bury the first ones.</summary>
    public const int ErrorsMax = 100;

    private readonly List<OptionsError> _errors = [];
    private readonly List<OptionsError> _warnings = [];

    /// <summary>What was found.</summary>
    public IReadOnlyList<OptionsError> All => _errors;

    /// <summary>What is odd but does no harm, such as a key that nobody reads.</summary>
    public IReadOnlyList<OptionsError> Warnings => _warnings;

    /// <summary>True when nothing was found.</summary>
    public bool IsEmpty => _errors.Count == 0;

    /// <summary>Adds an error about a value.</summary>
    /// <param name="key">Full path of the key.</param>
    /// <param name="value">The value as given.</param>
    /// <param name="rule">What is allowed.</param>
    public void Add(string key, object? value, string rule) =>
        AddTo(_errors, new OptionsError(key, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", rule));

    /// <summary>Adds an error without a value: the key is missing, or its value is a secret.</summary>
    /// <param name="key">Full path of the key.</param>
    /// <param name="rule">What is allowed, or what is wrong.</param>
    public void Add(string key, string rule) => AddTo(_errors, new OptionsError(key, null, rule));

    /// <summary>Adds a warning.</summary>
    /// <param name="key">Full path of the key.</param>
    /// <param name="rule">What is odd.</param>
    public void Warn(string key, string rule) => AddTo(_warnings, new OptionsError(key, null, rule));

    /// <summary>Adds an error when a condition does not hold.</summary>
    /// <param name="holds">The condition.</param>
    /// <param name="key">Full path of the key.</param>
    /// <param name="value">The value as given.</param>
    /// <param name="rule">What is allowed.</param>
    /// <returns>The condition.</returns>
    public bool Require(bool holds, string key, object? value, string rule)
    {
        if (!holds) Add(key, value, rule);
        return holds;
    }

    /// <summary>Adds an error when a value is outside a range.</summary>
    /// <typeparam name="T">A number or a time.</typeparam>
    /// <param name="key">Full path of the key.</param>
    /// <param name="value">The value.</param>
    /// <param name="min">The smallest that is allowed.</param>
    /// <param name="max">The largest that is allowed.</param>
    /// <returns>True when the value is in the range.</returns>
    public bool RequireInRange<T>(string key, T value, T min, T max)
        where T : IComparable<T>, IFormattable
    {
        var rule = string.Create(CultureInfo.InvariantCulture, $"use {min} to {max}");
        return Require(value.CompareTo(min) >= 0 && value.CompareTo(max) <= 0, key, value, rule);
    }

    /// <summary>Adds an error when a text is not one of those allowed.</summary>
    /// <param name="key">Full path of the key.</param>
    /// <param name="value">The value.</param>
    /// <param name="allowed">What is allowed; letters must match in case.</param>
    /// <returns>True when the value is allowed.</returns>
    public bool RequireOneOf(string key, string value, params ReadOnlySpan<string> allowed) =>
        Require(allowed.Contains(value), key, value, "use one of " + string.Join(", ", allowed.ToArray()));

    /// <summary>Throws when anything was found.</summary>
    /// <param name="source">Where the configuration came from, such as a file name.</param>
    /// <exception cref="ConfigurationException">With all errors.</exception>
    public void ThrowIfAny(string source)
    {
        if (!IsEmpty) throw new ConfigurationException(source, [.. _errors]);
    }

    private static void AddTo(List<OptionsError> list, OptionsError error)
    {
        if (list.Count < ErrorsMax && !list.Contains(error)) list.Add(error);
    }
}
