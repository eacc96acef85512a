using System.Text.Json;

namespace Mooring.Edge.Protocol;

/// <summary>One field of a message.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Type">What it may be.</param>
/// <param name="IsRequired">Whether it must be there. A field that need not be there may also be null.</param>
internal sealed record ContractField(string Name, ContractType Type, bool IsRequired);

/// <summary>
/// The fields of an object. They are checked in the order in which they were declared and the first failure is told; other fields pass,
/// so that a newer hub can send more.
/// </summary>
internal sealed class Contract : ContractType
{
    private readonly ContractField[] _fields;

    private Contract(ContractField[] fields) => _fields = fields;

    /// <summary>An object without rules.</summary>
    public static Contract Object { get; } = new([]);

    /// <summary>What every request may carry.</summary>
    public static Contract Request { get; } = Object
        .Optional("correlation_id", Number)
        .Optional("action", String)
        .Optional("requested_at", Date);

    /// <summary>A request about one device.</summary>
    public static Contract DeviceRequest { get; } = Request.Required("device_id", NonEmptyString);

    /// <summary>The fields in their order.</summary>
    public IReadOnlyList<ContractField> Fields => _fields;

    /// <summary>This contract with one more field that must be there.</summary>
    public Contract Required(string name, ContractType type) => new([.. _fields, new ContractField(name, type, IsRequired: true)]);

    /// <summary>This contract with one more field that may be absent or null.</summary>
    public Contract Optional(string name, ContractType type) => new([.. _fields, new ContractField(name, type, IsRequired: false)]);

    /// <inheritdoc/>
    public override ContractError? Check(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.Object)
            return path.Length == 0 ? ContractError.Invalid("message", "must be an object") : ContractError.WrongType(path, "an object");
        foreach (var field in _fields)
        {
            var place = path.Length == 0 ? field.Name : $"{path}.{field.Name}";
            if (!value.TryGetProperty(field.Name, out var content))
            {
                if (field.IsRequired) return ContractError.Missing(place);
                continue;
            }
            if (!field.IsRequired && content.ValueKind == JsonValueKind.Null) continue;
            if (field.Type.Check(content, place) is { } error) return error;
        }
        return null;
    }
}
