using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Options;

namespace Mooring.Fleet.Configuration;

/// <summary>Cars with their modules, and the smaller blocks.</summary>
public static partial class FleetOptionsFile
{
    /// <summary>Before the name of a module that is part of this program.</summary>
    internal const string Builtin = "builtin:";

    /// <summary>Cars of one process: memory for more is there, but nobody has tried.</summary>
    private const int CarsMax = 100_000;

    private static IReadOnlyList<CarOptions> ReadCars(JsonReading root)
    {
        var common = ReadModules(root["common_modules"].Required("must be given; {} when every car has its own modules"));
        var place = root["cars"].Required("must be given, with at least one car");
        if (!place.Exists) return [];
        var cars = new List<CarOptions>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, value) in place.Members())
        {
            if (!Name().IsMatch(name)) place.Errors.Add(value.Path, name, "use small letters, digits and _ only for the name of a car");
            if (!names.Add(name)) place.Errors.Add(value.Path, "this car is there twice");
            cars.Add(ReadCar(name, value, common));
        }
        if (place.Kind == JsonValueKind.Object && cars.Count is 0 or > CarsMax)
            place.Errors.Add(place.Path, cars.Count == 0 ? "at least one car is needed" : $"{cars.Count} cars, at most {CarsMax} are allowed");
        return cars;
    }

    private static CarOptions ReadCar(string name, JsonReading place, IReadOnlyList<ModuleOptions> common)
    {
        if (!place.Exists) place.Errors.Add(place.Path, "use an object { ... }; {} is enough when there are common modules");
        else place.ExpectObject();
        place.ReportUnknown(asWarning: true, "specific_modules", "enabled");
        var specific = place["specific_modules"].Exists ? ReadModules(place["specific_modules"]) : [];
        var both = specific.Select(m => m.Number).Intersect(common.Select(m => m.Number)).ToArray();
        if (both.Length > 0)
            place.Errors.Add(place["specific_modules"].Path, $"module {string.Join(", ", both)} is in common_modules too; give it once");
        if (place.Kind == JsonValueKind.Object && specific.Count + common.Count == 0 && !HasMembers(place["specific_modules"]))
            place.Errors.Add(place.Path, "at least one module is needed, here or in common_modules");
        return new CarOptions { Name = name, IsEnabled = place["enabled"].Bool(true), Modules = [.. specific, .. common] };
    }

    private static bool HasMembers(JsonReading place) => place.Kind == JsonValueKind.Object && place.Members().Count > 0;

    private static List<ModuleOptions> ReadModules(JsonReading place)
    {
        var modules = new List<ModuleOptions>();
        foreach (var (key, value) in place.Members())
        {
            if (!key.All(char.IsAsciiDigit) || !int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                place.Errors.Add(value.Path, key, "use a module number, such as 1000, as the key");
            else if (modules.Exists(m => m.Number == number))
                place.Errors.Add(value.Path, $"module {number} is there twice");
            else if (!value.Exists)
                place.Errors.Add(value.Path, "use an object { ... } with lib_path");
            else if (value.ExpectObject())
                modules.Add(ReadModule(number, value));
        }
        return modules;
    }

    private static ModuleOptions ReadModule(int number, JsonReading place)
    {
        place.ReportUnknown(asWarning: true, "lib_path", "config", "timeout_ms");
        return new ModuleOptions
        {
            Number = number,
            Library = ReadLibrary(place["lib_path"]),
            Parameters = ReadParameters(place["config"]),
            PollTimeout = TimeSpan.FromMilliseconds(place["timeout_ms"].Int(1000, 1, 3_600_000)),
        };
    }

    private static string ReadLibrary(JsonReading place)
    {
        if (place.Required("must be given: the path of the module's library").OptionalText() is not { } path) return "";
        if (path.StartsWith(Builtin, StringComparison.Ordinal)) return path;
        if (!File.Exists(path)) place.Errors.Add(place.Path, path, $"must be an existing file; seen from {Environment.CurrentDirectory}");
        // Without a slash the system would search its own folders.
        return path.Length == 0 ? path : Path.GetFullPath(path);
    }

    // Values may be secrets, such as API keys: errors name the key only.
    private static List<KeyValuePair<string, string>> ReadParameters(JsonReading place)
    {
        var parameters = new List<KeyValuePair<string, string>>();
        foreach (var (name, value) in place.Members())
        {
            if (ParameterText(value) is { } text) parameters.Add(new(name, text));
            else place.Errors.Add(value.Path, "use a text or a whole number");
        }
        return parameters;
    }

    private static string? ParameterText(JsonReading place) => place.Kind switch
    {
        JsonValueKind.String => place.Element!.Value.GetString(),
        JsonValueKind.True => "1",
        JsonValueKind.False => "0",
        JsonValueKind.Number when place.Element!.Value.TryGetInt64(out var whole) => whole.ToString(CultureInfo.InvariantCulture),
        JsonValueKind.Number when place.Element!.Value.TryGetDouble(out var d) && d == Math.Floor(d) && Math.Abs(d) < 1L << 53 =>
            ((long)d).ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    private static (OfflinePolicy Policy, int Kept) ReadOffline(JsonReading place)
    {
        const int standard = 10;
        if (place.Kind == JsonValueKind.Object)
        {
            place.ReportUnknown(asWarning: false, "keep");
            return (OfflinePolicy.Keep, place["keep"].Required("must be given: how many commands of each device to keep").Int(standard, 1, 1000));
        }
        if (place.Exists && place.Kind != JsonValueKind.String)
        {
            place.Errors.Add(place.Path, place.Element!.Value.GetRawText(), "use \"discard\", \"newest\" or { \"keep\": N }");
            return (OfflinePolicy.Discard, standard);
        }
        return (place.OneOf("discard", "discard", "newest") == "newest" ? OfflinePolicy.Newest : OfflinePolicy.Discard, standard);
    }

    private static PollingOptions ReadPolling(JsonReading place)
    {
        if (place.Exists) place.ExpectObject();
        place.ReportUnknown(asWarning: true, "mode", "threads_max", "interval_ms");
        var standard = new PollingOptions();
        return new PollingOptions
        {
            Mode = place["mode"].OneOf("auto", "auto", "threads", "pool") switch
            {
                "threads" => PollingMode.Threads,
                "pool" => PollingMode.Pool,
                _ => PollingMode.Auto,
            },
            ThreadsMax = place["threads_max"].Int(standard.ThreadsMax, 0, 10_000),
            Interval = TimeSpan.FromMilliseconds(place["interval_ms"].Int((int)standard.Interval.TotalMilliseconds, 1, 60_000)),
        };
    }

    private static FleetLimits ReadLimits(JsonReading place)
    {
        if (place.Exists) place.ExpectObject();
        place.ReportUnknown(
            asWarning: true, "message_bytes", "messages_per_second", "mailbox_messages", "status_window", "devices", "commands", "history");
        var standard = new FleetLimits();
        return new FleetLimits
        {
            MessageBytes = place["message_bytes"].Int(standard.MessageBytes, 64, 256 << 20),
            MessagesPerSecond = place["messages_per_second"].Int(standard.MessagesPerSecond, 1, 10_000_000),
            MailboxMessages = place["mailbox_messages"].Int(standard.MailboxMessages, 8, 1_000_000),
            StatusWindow = place["status_window"].Int(standard.StatusWindow, 1, 1_000_000),
            Devices = place["devices"].Int(standard.Devices, 1, 100_000),
            Commands = place["commands"].Int(standard.Commands, 1, 1_000_000),
            History = place["history"].Int(standard.History, 0, 10_000),
        };
    }

    private static FleetLoggingOptions ReadLogging(JsonReading place)
    {
        if (!place.Required("must be given, with console and file").ExpectObject()) return new FleetLoggingOptions();
        place.ReportUnknown(asWarning: true, "console", "file", "format");
        var console = ReadLogTarget(place["console"]);
        var file = ReadLogTarget(place["file"]);
        var folder = place["file"]["path"].Text();
        if (file != LogLevel.None && !Directory.Exists(folder))
            place.Errors.Add(place["file"]["path"].Path, folder, "must be an existing folder when the file is used");
        return new FleetLoggingOptions
        {
            Console = console,
            File = file,
            Folder = folder,
            IsJson = place["format"].OneOf("text", "text", "json") == "json",
        };
    }

    private static LogLevel ReadLogTarget(JsonReading place)
    {
        if (!place.Required("must be given, with level and use").ExpectObject()) return LogLevel.None;
        place.ReportUnknown(asWarning: true, "level", "use", "path");
        var level = place["level"].Required("must be given").OneOf("INFO", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL") switch
        {
            "DEBUG" => LogLevel.Debug,
            "WARNING" => LogLevel.Warning,
            "ERROR" => LogLevel.Error,
            "CRITICAL" => LogLevel.Critical,
            _ => LogLevel.Information,
        };
        return place["use"].Required("must be given, true or false").Bool(false) ? level : LogLevel.None;
    }
}
