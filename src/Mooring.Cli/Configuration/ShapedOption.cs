using System.CommandLine;

namespace Mooring.Cli.Configuration;

/// <summary>What an option's declaration says about its values beyond their type.</summary>
internal interface IShapedOption
{
    /// <summary>Type, range and choices; null for what the option's type and completions say.</summary>
    SettingShape? Shape { get; }

    /// <summary>Whether the value must not be shown.</summary>
    bool IsSecret { get; }
}

/// <summary>An option that knows more of its values than their type: it checks them, and the schema for editors tells them.</summary>
internal sealed class ShapedOption<T> : Option<T>, IShapedOption
{
    internal ShapedOption(string name, SettingShape? shape = null)
        : base(name)
    {
        Shape = shape;
        if (shape is null) return;
        Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
                if (shape.Problem(token.Value) is { } rule) result.AddError($"{name}: '{token.Value}' is not allowed: {rule}");
        });
    }

    public SettingShape? Shape { get; }

    public bool IsSecret { get; init; }
}
