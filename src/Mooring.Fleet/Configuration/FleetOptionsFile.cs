using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;

namespace Mooring.Fleet.Configuration;

/// <summary>
/// Reads the external server's JSON configuration: the present shape (<c>external_communication</c>), the one before
/// (<c>mqtt_address</c>), and Mooring's own keys beside both.
/// </summary>
public static partial class FleetOptionsFile
{
    /// <summary>Name of the environment variable with the broker's user, when the file names none.</summary>
    public const string UserVariable = "MOORING_MQTT_USERNAME";

    /// <summary>Name of the environment variable with the broker's password, when the file names none.</summary>
    public const string PasswordVariable = "MOORING_MQTT_PASSWORD";

    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(365);

    // Forced statuses of a gateway come every 15 s.
    private static readonly TimeSpan ForcedStatusPeriod = TimeSpan.FromSeconds(15);

    private static readonly string[] OldKeys = ["mqtt_address", "mqtt_port", "mqtt_timeout"];

    /// <summary>Reads and checks a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="warnings">What is odd but does no harm; one line each.</param>
    /// <returns>The options.</returns>
    /// <exception cref="ConfigurationException">With all errors.</exception>
    public static FleetOptions Load(string path, out IReadOnlyList<string> warnings)
    {
        var errors = new OptionsErrors();
        var root = JsonReading.Load(path, errors, JsonLeniency.All & ~JsonLeniency.ScalarTexts);
        var options = Read(root);
        warnings = [.. errors.Warnings.Select(w => $"{path}: {w}")];
        errors.ThrowIfAny(path);
        return options;
    }

    internal static FleetOptions Read(JsonReading root)
    {
        if (!root.ExpectObject())
        {
            if (!root.Exists) root.Errors.Add("", "the configuration must be an object { ... }");
            return new FleetOptions { Company = "", Broker = new FleetBrokerOptions { Host = "", Port = 0 } };
        }
        WarnUnknown(root);
        var (broker, sessionTimeout) = ReadBroker(root);
        WarnSessionTimeout(root, sessionTimeout);
        var (offline, kept) = ReadOffline(root["offline_commands"]);
        var compatibility = root["compatibility"];
        if (compatibility.Exists) compatibility.ExpectObject();
        compatibility.ReportUnknown(asWarning: true, "answers", "order");
        return new FleetOptions
        {
            Company = ReadName(root["company_name"].Required("must be given; small letters, digits and _")),
            Broker = broker,
            SessionTimeout = sessionTimeout,
            StepTimeout = ReadSeconds(root["timeout"]),
            RetryDelay = ReadSeconds(root["sleep_duration_after_connection_refused"]),
            SendInvalidCommand = root["send_invalid_command"].Required("must be given, true or false").Bool(false),
            Connections = root["connections"].OneOf("shared", "shared", "per-car") == "shared" ? FleetConnections.Shared : FleetConnections.PerCar,
            SharedConnections = root["shared_connections"].Int(4, 1, 64),
            OfflineCommands = offline,
            KeptCommandsMax = kept,
            ReferenceAnswers = compatibility["answers"].OneOf("complete", "complete", "reference") == "reference",
            ReferenceOrder = compatibility["order"].OneOf("strict", "strict", "reference") == "reference",
            StartPartially = root["start"].OneOf("strict", "strict", "partial") == "partial",
            Polling = ReadPolling(root["polling"]),
            Limits = ReadLimits(root["limits"]),
            Logging = ReadLogging(root["logging"]),
            Cars = ReadCars(root),
        };
    }

    private static void WarnUnknown(JsonReading root) => root.ReportUnknown(
        asWarning: true,
        "company_name", "external_communication", "timeout", "send_invalid_command", "sleep_duration_after_connection_refused",
        "common_modules", "cars", "logging", "mqtt_address", "mqtt_port", "mqtt_timeout",
        "connections", "shared_connections", "offline_commands", "compatibility", "start", "polling", "limits");

    private static string ReadName(JsonReading place)
    {
        var name = place.OptionalText() ?? "";
        if (!Name().IsMatch(name)) place.Errors.Add(place.Path, name, "use small letters, digits and _ only");
        return name;
    }

    private static TimeSpan ReadSeconds(JsonReading place) =>
        place.Required("must be given, in seconds").Seconds(TimeSpan.Zero, TimeSpan.Zero, LongestTime);

    private static (FleetBrokerOptions Broker, TimeSpan SessionTimeout) ReadBroker(JsonReading root)
    {
        var place = root["external_communication"];
        var old = OldKeys.Where(key => root[key].Exists).ToArray();
        if (!place.Exists && old.Length > 0) return ReadOldBroker(root);
        if (old.Length > 0) root.Errors.Add(old[0], "belongs to the older shape and cannot stand beside external_communication");
        if (!place.Required("must be given; or mqtt_address, mqtt_port and mqtt_timeout of the older shape").ExpectObject())
            return (new FleetBrokerOptions { Host = "", Port = 0 }, TimeSpan.Zero);
        place.ReportUnknown(
            asWarning: true, "protocol", "server_address", "server_port", "timeout_ms", "ca_certs_file", "cert_file", "key_file",
            "username", "password", "password_file");
        var protocol = place["protocol"].Required("must be given: \"MQTT\"").Text("MQTT");
        if (protocol != "MQTT") place.Errors.Add(place["protocol"].Path, protocol, "use MQTT, in capitals");
        var milliseconds = place["timeout_ms"].Required("must be given, in milliseconds").Long(0, 0, (long)LongestTime.TotalMilliseconds);
        var broker = new FleetBrokerOptions
        {
            Host = ReadHost(place["server_address"]),
            Port = ReadPort(place["server_port"]),
            Tls = ReadTls(place),
            UserName = place["username"].OptionalText() ?? Environment.GetEnvironmentVariable(UserVariable),
            Password = ReadPassword(place),
        };
        return (broker, TimeSpan.FromMilliseconds(milliseconds));
    }

    private static (FleetBrokerOptions Broker, TimeSpan SessionTimeout) ReadOldBroker(JsonReading root)
    {
        root.Errors.Warn("mqtt_address", "mqtt_address, mqtt_port and mqtt_timeout are the older shape; external_communication takes their place");
        var broker = new FleetBrokerOptions
        {
            Host = ReadHost(root["mqtt_address"]),
            Port = ReadPort(root["mqtt_port"]),
            UserName = Environment.GetEnvironmentVariable(UserVariable),
            Password = Environment.GetEnvironmentVariable(PasswordVariable),
        };
        return (broker, ReadSeconds(root["mqtt_timeout"]));
    }

    private static int ReadPort(JsonReading place) => place.Required("must be given, 0 to 65535").Int(0, 0, 65_535);

    private static string ReadHost(JsonReading place)
    {
        const string rule = "use a host name or an address, without a port";
        var host = place.Required($"must be given; {rule}").OptionalText();
        if (host is null) return "";
        var bare = Scheme().Replace(host, "");
        if (HostName().IsMatch(bare) || (bare.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(bare, out _))) return bare;
        place.Errors.Add(place.Path, host, rule);
        return "";
    }

    private static TlsFiles? ReadTls(JsonReading place)
    {
        var authorities = ReadFile(place["ca_certs_file"]);
        var certificate = ReadFile(place["cert_file"]);
        var key = ReadFile(place["key_file"]);
        if (certificate is null != (key is null))
            place.Errors.Add(place[certificate is null ? "cert_file" : "key_file"].Path, "must be given: cert_file and key_file belong together");
        if (authorities is null && certificate is null && key is null) return null;
        return new TlsFiles { Authorities = authorities, Certificate = certificate, Key = key };
    }

    private static string? ReadFile(JsonReading place)
    {
        if (place.OptionalText() is not { Length: > 0 } path) return null;
        if (!File.Exists(path)) place.Errors.Add(place.Path, path, "the file does not exist");
        return path;
    }

    private static string? ReadPassword(JsonReading place)
    {
        if (place["password"].Exists && place["password_file"].Exists)
            place.Errors.Add(place["password"].Path, "give password or password_file, not both");
        if (place["password"] is { Exists: true } given)
        {
            if (given.Kind == JsonValueKind.String) return given.Element!.Value.GetString();
            place.Errors.Add(given.Path, "use a text in quotes");
        }
        if (ReadFile(place["password_file"]) is not { } path) return Environment.GetEnvironmentVariable(PasswordVariable);
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).TrimEnd('\r', '\n') : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            place.Errors.Add(place["password_file"].Path, path, "cannot be read: " + e.Message);
            return null;
        }
    }

    private static void WarnSessionTimeout(JsonReading root, TimeSpan timeout)
    {
        if (timeout > ForcedStatusPeriod && timeout.Ticks % ForcedStatusPeriod.Ticks != 0) return;
        var key = root["external_communication"].Exists ? "external_communication.timeout_ms" : "mqtt_timeout";
        root.Errors.Warn(key, string.Create(
            CultureInfo.InvariantCulture,
            $"gateways send at least every 15 s, a time of {timeout.TotalSeconds} s meets that moment; 40 s is a good choice"));
    }

    [GeneratedRegex("^[a-z0-9_]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    [GeneratedRegex("^https?://", RegexOptions.CultureInvariant)]
    private static partial Regex Scheme();

    [GeneratedRegex(@"^([\w-]+\.)*[\w-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex HostName();
}
