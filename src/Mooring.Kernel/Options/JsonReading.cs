using System.Globalization;
using System.Text.Json;

namespace Mooring.Kernel.Options;

/// <summary>
/// A place in a JSON document from which options are read. Nothing here throws for a wrong value: what is wrong goes to the
/// collector with the full path of its key, and reading goes on with the fallback.
/// </summary>
public sealed partial class JsonReading
{
    /// <summary>Files larger than this are not configurations.</summary>
    public const int FileBytesMax = 16 * 1024 * 1024;

    private readonly JsonElement? _element;
    private readonly JsonLeniency _leniency;

    private JsonReading(JsonElement? element, string path, OptionsErrors errors, JsonLeniency leniency)
    {
        _element = element;
        Path = path;
        Errors = errors;
        _leniency = leniency;
    }

    /// <summary>Full path of this place; empty at the root.</summary>
    public string Path { get; }

    /// <summary>Where errors go.</summary>
    public OptionsErrors Errors { get; }

    /// <summary>Whether there is a value here; an explicit <c>null</c> counts as none.</summary>
    public bool Exists => _element is not null;

    /// <summary>The kind of the value; <see cref="JsonValueKind.Undefined"/> when there is none.</summary>
    public JsonValueKind Kind => _element?.ValueKind ?? JsonValueKind.Undefined;

    /// <summary>The raw value, when there is one.</summary>
    public JsonElement? Element => _element;

    /// <summary>Starts to read at an element.</summary>
    /// <param name="element">The element.</param>
    /// <param name="errors">Where errors go.</param>
    /// <param name="leniency">What to let pass.</param>
    /// <param name="path">Path of the element; empty for a root.</param>
    /// <returns>The place.</returns>
    public static JsonReading Of(
        JsonElement element, OptionsErrors errors, JsonLeniency leniency = JsonLeniency.None, string path = "") =>
        new(NullToNone(element), path, errors, leniency);

    /// <summary>Parses text.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="source">Its name in error messages.</param>
    /// <param name="errors">Where errors about values go.</param>
    /// <param name="leniency">What to let pass.</param>
    /// <returns>The root.</returns>
    /// <exception cref="ConfigurationException">The text is not JSON; the message names line and column.</exception>
    public static JsonReading Parse(
        ReadOnlyMemory<byte> utf8, string source, OptionsErrors errors, JsonLeniency leniency = JsonLeniency.None)
    {
        if (utf8.Span.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        var lenient = leniency.HasFlag(JsonLeniency.Comments);
        var options = new JsonDocumentOptions
        {
            CommentHandling = lenient ? JsonCommentHandling.Skip : JsonCommentHandling.Disallow,
            AllowTrailingCommas = lenient,
        };
        try
        {
            using var document = JsonDocument.Parse(utf8, options);
            return Of(document.RootElement.Clone(), errors, leniency);
        }
        catch (JsonException e)
        {
            // Counted from 0 by the parser, from 1 by people.
            var what = e.Message.Split(" LineNumber:", 2)[0].TrimEnd('.', ' ');
            throw new ConfigurationException(
                source, $"not valid JSON at line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}: {what}");
        }
    }

    /// <summary>Reads and parses a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="errors">Where errors about values go.</param>
    /// <param name="leniency">What to let pass.</param>
    /// <returns>The root.</returns>
    /// <exception cref="ConfigurationException">The file cannot be read or is not JSON.</exception>
    public static JsonReading Load(string path, OptionsErrors errors, JsonLeniency leniency = JsonLeniency.None)
    {
        byte[] content;
        try
        {
            if (Directory.Exists(path)) throw new ConfigurationException(path, "is a folder, not a file");
            if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax })
                throw new ConfigurationException(path, $"is larger than {FileBytesMax} bytes: not a configuration");
            content = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigurationException(path, "the file does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(path, "cannot be read: " + e.Message);
        }
        return Parse(content, path, errors, leniency);
    }

    /// <summary>The place of a property.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The place; it may hold no value.</returns>
    public JsonReading this[string name]
    {
        get
        {
            var path = Path.Length == 0 ? name : $"{Path}.{name}";
            JsonElement? child = null;
            if (Kind == JsonValueKind.Object && _element!.Value.TryGetProperty(name, out var found)) child = NullToNone(found);
            return new JsonReading(child, path, Errors, _leniency);
        }
    }

    /// <summary>Adds an error when there is no value here.</summary>
    /// <param name="rule">What must be given.</param>
    /// <returns>This place.</returns>
    public JsonReading Required(string rule = "must be given")
    {
        if (!Exists) Errors.Add(Path, rule);
        return this;
    }

    /// <summary>The elements of the list here; none, and an error, when it is something else.</summary>
    /// <param name="itemsMax">The longest list that is allowed.</param>
    /// <returns>The places of the elements.</returns>
    public IReadOnlyList<JsonReading> Items(int itemsMax = 100_000)
    {
        if (!Exists || !Expect(JsonValueKind.Array, "use a list [ ... ]")) return [];
        var length = _element!.Value.GetArrayLength();
        if (length > itemsMax)
        {
            Errors.Add(Path, $"{length} elements, at most {itemsMax} are allowed");
            return [];
        }
        return [.. _element.Value.EnumerateArray().Select((item, i) =>
            new JsonReading(NullToNone(item), $"{Path}[{i}]", Errors, _leniency))];
    }

    /// <summary>The properties of the object here; none, and an error, when it is something else.</summary>
    /// <returns>Names and places.</returns>
    public IReadOnlyList<(string Name, JsonReading Value)> Members()
    {
        if (!Exists || !ExpectObject()) return [];
        return [.. _element!.Value.EnumerateObject().Select(p => (p.Name, this[p.Name]))];
    }

    /// <summary>Adds an error when the value here is not an object.</summary>
    /// <returns>True when it is one; a missing value is none, without an error.</returns>
    public bool ExpectObject() => Exists && Expect(JsonValueKind.Object, "use an object { ... }");

    /// <summary>Reports properties that nobody reads, with the known name that was probably meant.</summary>
    /// <param name="asWarning">True to warn only.</param>
    /// <param name="known">The names that are read.</param>
    public void ReportUnknown(bool asWarning, params ReadOnlySpan<string> known)
    {
        if (Kind != JsonValueKind.Object) return;
        var names = known.ToArray();
        foreach (var property in _element!.Value.EnumerateObject())
        {
            if (names.Contains(property.Name)) continue;
            var path = this[property.Name].Path;
            var rule = NearestName.Find(property.Name, names) is { } near
                ? $"unknown key; did you mean '{near}'?"
                : "unknown key; known are " + string.Join(", ", names);
            if (asWarning) Errors.Warn(path, rule);
            else Errors.Add(path, rule);
        }
    }

    private static JsonElement? NullToNone(JsonElement element) =>
        element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined ? null : element;

    private bool Expect(JsonValueKind kind, string rule)
    {
        if (Kind == kind) return true;
        AddWrong(rule);
        return false;
    }

    private void AddWrong(string rule) => Errors.Add(Path, Shown(), rule);

    private string Shown() => Kind switch
    {
        JsonValueKind.String => _element!.Value.GetString()!,
        JsonValueKind.Object => "{...}",
        JsonValueKind.Array => "[...]",
        JsonValueKind.Undefined => "",
        _ => string.Create(CultureInfo.InvariantCulture, $"{_element!.Value.GetRawText()}"),
    };
}
