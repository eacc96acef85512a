using System.Text.Json.Nodes;

namespace Mooring.Edge.Agent.Engine;

/// <summary>How a container is made again from another image: with everything that was chosen for it, and nothing that its old image brought along. Pure.</summary>
internal static class ContainerCopy
{
    private const int ShortIdLength = 12;

    // What an image sets and a container may set otherwise.
    private static readonly string[] FromImage = ["Cmd", "Entrypoint", "WorkingDir", "User", "ExposedPorts", "Volumes", "StopSignal", "Healthcheck", "Shell"];

    /// <summary>What the engine is asked for.</summary>
    /// <param name="container">The container, as the engine tells of it.</param>
    /// <param name="image">Its image, as the engine tells of it; null when it is gone.</param>
    /// <param name="newImage">The image to use instead.</param>
    public static JsonObject Of(JsonObject container, JsonObject? image, string newImage)
    {
        var creation = container["Config"]!.DeepClone().AsObject();
        var defaults = image?["Config"] as JsonObject;
        foreach (var name in FromImage)
            if (creation[name] is { } set && JsonNode.DeepEquals(set, defaults?[name])) creation.Remove(name);
        RemoveShared(creation["Env"] as JsonArray, defaults?["Env"] as JsonArray);
        RemoveShared(creation["Labels"] as JsonObject, defaults?["Labels"] as JsonObject);
        // The engine's own choice is the container's id, which will be another.
        if ((string?)container["Id"] is { Length: >= ShortIdLength } id && (string?)creation["Hostname"] == id[..ShortIdLength]) creation.Remove("Hostname");
        creation["Image"] = newImage;
        creation["HostConfig"] = container["HostConfig"]?.DeepClone();
        return creation;
    }

    /// <summary>Takes the name of an image apart.</summary>
    /// <param name="image">Such as <c>registry.example:5000/agent:v1</c>.</param>
    /// <returns>Its repository, and its tag; <c>latest</c> where it has none.</returns>
    public static (string Repository, string Tag) Split(string image)
    {
        var name = image.Split('@')[0];
        var colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/') ? (name[..colon], name[(colon + 1)..]) : (name, "latest");
    }

    private static void RemoveShared(JsonArray? own, JsonArray? defaults)
    {
        if (own is null || defaults is null) return;
        for (var i = own.Count - 1; i >= 0; i--)
            if (defaults.Any(value => JsonNode.DeepEquals(value, own[i]))) own.RemoveAt(i);
    }

    private static void RemoveShared(JsonObject? own, JsonObject? defaults)
    {
        if (own is null || defaults is null) return;
        foreach (var (name, value) in defaults)
            if (JsonNode.DeepEquals(value, own[name])) own.Remove(name);
    }
}
