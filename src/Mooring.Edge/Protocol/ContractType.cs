using System.Text.Json;
using System.Text.RegularExpressions;

namespace Mooring.Edge.Protocol;

/// <summary>What values a field of a message may have.</summary>
internal abstract partial class ContractType
{
    /// <summary>A text, also an empty one.</summary>
    public static readonly ContractType String = new Scalar("a string", value => value.ValueKind == JsonValueKind.String);

    /// <summary>A text with a character that is not blank.</summary>
    public static readonly ContractType NonEmptyString = new Scalar("a non-empty string",
        value => value.ValueKind == JsonValueKind.String && !string.IsNullOrWhiteSpace(value.GetString()));

    /// <summary>A number. Truth values pass too, as they did with the first agents.</summary>
    public static readonly ContractType Number = new Scalar("a number",
        value => value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False);

    /// <summary>true or false.</summary>
    public static readonly ContractType Boolean = new Scalar("a boolean",
        value => value.ValueKind is JsonValueKind.True or JsonValueKind.False);

    /// <summary>A date, or a date and a time, in ISO 8601.</summary>
    public static readonly ContractType Date = new Scalar("an ISO date-time",
        value => value.ValueKind == JsonValueKind.String && IsoDate.IsValid(value.GetString()!));

    /// <summary>A name that Linux gives to a network interface.</summary>
    public static readonly ContractType InterfaceName = new Scalar("an interface name",
        value => value.ValueKind == JsonValueKind.String && InterfaceNamePattern().IsMatch(value.GetString()!));

    /// <summary>
    /// A name that the container engine accepts: a letter or digit, then letters, digits, dots, dashes, underscores; 2 to 63 characters,
    /// so that the names that are made of it fit too.
    /// </summary>
    public static readonly ContractType ContainerName = new Scalar("a container name of 2 to 63 letters, digits, dots, dashes and underscores",
        value => value.ValueKind == JsonValueKind.String && ContainerNamePattern().IsMatch(value.GetString()!));

    /// <summary>A JSON object with whatever members.</summary>
    public static readonly ContractType AnyObject = new Scalar("an object", value => value.ValueKind == JsonValueKind.Object);

    /// <summary>Whatever there is.</summary>
    public static readonly ContractType Any = new Scalar("a value", _ => true);

    /// <summary>An array, each item of which is of one type.</summary>
    /// <param name="item">The type of the items.</param>
    public static ContractType List(ContractType item) => new ListType(item);

    /// <summary>Whether a text is a name that Linux gives to a network interface.</summary>
    public static bool IsInterfaceName(string text) => InterfaceNamePattern().IsMatch(text);

    /// <summary>Checks a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="path">Where it stands.</param>
    /// <returns>The first thing that is wrong with it; null when nothing is.</returns>
    public abstract ContractError? Check(JsonElement value, string path);

    [GeneratedRegex(@"\A[A-Za-z0-9._-]{1,15}\z")]
    private static partial Regex InterfaceNamePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9_.-]{1,62}\z")]
    private static partial Regex ContainerNamePattern();

    private sealed class Scalar(string expected, Func<JsonElement, bool> accepts) : ContractType
    {
        public override ContractError? Check(JsonElement value, string path) =>
            accepts(value) ? null : ContractError.WrongType(path, expected);
    }

    private sealed class ListType(ContractType item) : ContractType
    {
        public override ContractError? Check(JsonElement value, string path)
        {
            if (value.ValueKind != JsonValueKind.Array) return ContractError.WrongType(path, "a list");
            var index = 0;
            foreach (var element in value.EnumerateArray())
                if (item.Check(element, $"{path}[{index++}]") is { } error) return error;
            return null;
        }
    }
}
