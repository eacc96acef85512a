namespace Mooring.Edge.Protocol;

/// <summary>The first thing that is wrong with a message.</summary>
/// <param name="Code">For programs: <c>missing_field</c>, <c>invalid_type</c> or <c>invalid_value</c>.</param>
/// <param name="Field">Path of the field, such as <c>vnic_configs[0].name</c>; empty for the message itself.</param>
/// <param name="Message">For people. Begins with the words that clients of earlier agents look for.</param>
internal sealed record ContractError(string Code, string Field, string Message)
{
    /// <summary>A field that must be there is not.</summary>
    public static ContractError Missing(string field) =>
        new("missing_field", field, $"Missing required field: \"Missing key: {field}\"");

    /// <summary>A field has a value of another kind.</summary>
    /// <param name="field">Path of the field.</param>
    /// <param name="expected">What belongs there, with its article.</param>
    public static ContractError WrongType(string field, string expected) =>
        new("invalid_type", field, $"Invalid field type: expected {expected}: {field}");

    /// <summary>A field has the right kind of value, and one that is not allowed.</summary>
    /// <param name="field">Path of the field.</param>
    /// <param name="rule">What is allowed.</param>
    public static ContractError Invalid(string field, string rule) =>
        new("invalid_value", field, $"Validation error: {field} {rule}");
}
