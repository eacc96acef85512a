using System.Text;
using Mooring.Kernel.Options;

namespace Mooring.Mqtt.Broker.Access;

/// <summary>Reads the users file and the access list, with everything that is wrong in them.</summary>
internal static class AccessFiles
{
    /// <summary>A larger file is not one of users: it would hold some 100,000 of them.</summary>
    internal const int UsersFileBytesMax = 16 * 1024 * 1024;

    /// <summary>Rules of one list. Every rule is looked at for each topic that a client uses first.</summary>
    internal const int RulesMax = 1000;

    internal static UserTable? ReadUsers(string? path, OptionsErrors errors)
    {
        if (path is null) return null;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > UsersFileBytesMax })
            {
                errors.Add(path, $"larger than {UsersFileBytesMax} bytes: not a file of users");
                return null;
            }
            return UserTable.Parse(File.ReadAllText(path, Encoding.UTF8), path, errors);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            errors.Add(path, "the file of users does not exist");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            errors.Add(path, "the file of users cannot be read: " + exception.Message);
        }
        return null;
    }

    /// <summary>An empty file is an empty list, which denies everything.</summary>
    internal static IReadOnlyList<AccessRule>? ReadRules(string? path, OptionsErrors errors)
    {
        if (path is null) return null;
        var found = new OptionsErrors();
        IReadOnlyList<AccessRule> rules = [];
        try
        {
            if (new FileInfo(path) is not { Exists: true, Length: 0 })
                rules = ParseRules(JsonReading.Load(path, found, JsonLeniency.Comments));
        }
        catch (ConfigurationException exception)
        {
            foreach (var error in exception.Errors) errors.Add(path, error.Rule);
        }
        foreach (var error in found.All)
        {
            var key = error.Key.Length == 0 ? path : $"{path}: {error.Key}";
            if (error.Value is null) errors.Add(key, error.Rule);
            else errors.Add(key, error.Value, error.Rule);
        }
        return rules;
    }

    /// <summary>Rules are <c>{ "allow": "publish", "topic": "a/#", "user": "u" }</c>, or with <c>"deny"</c>.</summary>
    internal static IReadOnlyList<AccessRule> ParseRules(JsonReading list)
    {
        var rules = new List<AccessRule>();
        foreach (var item in list.Items(RulesMax))
        {
            if (!item.ExpectObject()) continue;
            item.ReportUnknown(asWarning: false, "allow", "deny", "topic", "user");
            var (allow, deny) = (item["allow"], item["deny"]);
            if (allow.Exists == deny.Exists)
            {
                item.Errors.Add(item.Path, "give either 'allow' or 'deny': publish, subscribe or all");
                continue;
            }
            var rule = new AccessRule(allow.Exists, ReadAction(allow.Exists ? allow : deny), item["topic"].RequiredText())
            {
                User = item["user"].OptionalText(),
            };
            if (rule.Topic.Length > 0) rule.Validate(item.Errors, item["topic"].Path);
            rules.Add(rule);
        }
        return rules;
    }

    private static AccessAction ReadAction(JsonReading place) => place.OneOf("all", "publish", "subscribe", "all") switch
    {
        "publish" => AccessAction.Publish,
        "subscribe" => AccessAction.Subscribe,
        _ => AccessAction.All,
    };
}
