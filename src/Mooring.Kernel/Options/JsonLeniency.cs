namespace Mooring.Kernel.Options;

/// <summary>What a reader of old configuration files lets pass that JSON's types would refuse.</summary>
[Flags]
public enum JsonLeniency
{
    /// <summary>Types must be right.</summary>
    None = 0,

    /// <summary><c>"42"</c> for a number.</summary>
    NumericStrings = 1,

    /// <summary><c>1.0</c> for a whole number.</summary>
    WholeFractions = 2,

    /// <summary><c>1</c>, <c>0</c>, <c>"yes"</c>, <c>"no"</c>, <c>"on"</c>, <c>"off"</c>, <c>"true"</c>, <c>"false"</c> for a truth value.</summary>
    LooseBooleans = 4,

    /// <summary>A number or a truth value for a text.</summary>
    ScalarTexts = 8,

    /// <summary>Comments and trailing commas.</summary>
    Comments = 16,

    /// <summary>All of them.</summary>
    All = NumericStrings | WholeFractions | LooseBooleans | ScalarTexts | Comments,
}
