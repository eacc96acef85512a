using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Mooring.Cli.Configuration;

/// <summary>The settings as a JSON schema (draft 2020-12), for editors that complete and check <c>mooring.json</c>.</summary>
internal static class ConfigurationSchema
{
    internal static string Write(SettingTable table)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("title", "Configuration of 'mooring up'");
            json.WriteString("description", "Comments and trailing commas are allowed. Files are named as they lie beside this one.");
            WriteBody(json, () =>
            {
                WriteText(json, "$schema", "The schema that an editor checks this file with.");
                foreach (var setting in table.All.Where(setting => setting is { Section: "", Name: not "config" })) Write(json, setting);
                foreach (var section in table.Sections)
                {
                    json.WriteStartObject(section);
                    WriteBody(json, () =>
                    {
                        foreach (var setting in table.All.Where(setting => setting.Section == section)) Write(json, setting);
                    });
                    json.WriteEndObject();
                }
            });
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void WriteBody(Utf8JsonWriter json, Action properties)
    {
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        properties();
        json.WriteEndObject();
        json.WriteBoolean("additionalProperties", false);
    }

    private static void Write(Utf8JsonWriter json, Setting setting)
    {
        json.WriteStartObject(setting.Name);
        json.WriteString("description", $"{setting.Option.Description} {setting.Option.Name}, {setting.Variable}.{(setting.Reloads ? " SIGHUP takes a change over." : "")}");
        WriteType(json, setting.Shape);
        WriteDefault(json, setting);
        json.WriteEndObject();
    }

    private static void WriteType(Utf8JsonWriter json, SettingShape shape)
    {
        if (shape.IsList)
        {
            json.WriteStartArray("type");
            json.WriteStringValue("array");
            json.WriteStringValue(shape.Type);
            json.WriteEndArray();
            json.WriteStartObject("items");
            WriteScalar(json, shape);
            json.WriteEndObject();
        }
        else WriteScalar(json, shape);
    }

    private static void WriteScalar(Utf8JsonWriter json, SettingShape shape)
    {
        json.WriteString("type", shape.Type);
        if (shape.Minimum is { } least) json.WriteNumber("minimum", least);
        if (shape.Maximum is { } most) json.WriteNumber("maximum", most);
        if (shape.Choices is not { } choices) return;
        json.WriteStartArray("enum");
        foreach (var choice in choices) json.WriteStringValue(choice);
        json.WriteEndArray();
    }

    private static void WriteDefault(Utf8JsonWriter json, Setting setting)
    {
        if (setting.Shape.IsList || setting.Standard is not [var text]) return;
        switch (setting.Shape.Type)
        {
            case SettingShape.Integer: json.WriteNumber("default", long.Parse(text, CultureInfo.InvariantCulture)); break;
            case SettingShape.Boolean: json.WriteBoolean("default", text == "true"); break;
            default: json.WriteString("default", text); break;
        }
    }

    private static void WriteText(Utf8JsonWriter json, string name, string description)
    {
        json.WriteStartObject(name);
        json.WriteString("description", description);
        json.WriteString("type", SettingShape.Text);
        json.WriteEndObject();
    }
}
