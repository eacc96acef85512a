using System.Text.Json;

namespace Mooring.Bench.Fleet;

/// <summary>Writes the configuration of an external server for a number of cars with one module each.</summary>
internal static class FleetConfiguration
{
    internal const string Company = "bench";

    internal static string CarName(int number) => $"car_{number}";

    internal static void Write(string path, int cars, int brokerPort, FleetBenchOptions options)
    {
        using var file = File.Create(path);
        using var json = new Utf8JsonWriter(file);
        json.WriteStartObject();
        json.WriteString("company_name", Company);
        json.WriteStartObject("external_communication");
        json.WriteString("protocol", "MQTT");
        json.WriteString("server_address", "127.0.0.1");
        json.WriteNumber("server_port", brokerPort);
        json.WriteNumber("timeout_ms", 40_000);
        json.WriteEndObject();
        json.WriteNumber("timeout", 30);
        json.WriteBoolean("send_invalid_command", false);
        json.WriteNumber("sleep_duration_after_connection_refused", 0.5);
        // One car is driven here as fast as it goes; the share that a car has otherwise would be what is measured.
        json.WriteStartObject("limits");
        json.WriteNumber("messages_per_second", 10_000_000);
        json.WriteEndObject();
        WriteLogging(json);
        json.WriteStartObject("common_modules");
        json.WriteStartObject(options.ModuleNumber.ToString(System.Globalization.CultureInfo.InvariantCulture));
        json.WriteString("lib_path", options.ModuleLibrary);
        json.WriteStartObject("config");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("cars");
        for (var i = 0; i < cars; i++)
        {
            json.WriteStartObject(CarName(i));
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteLogging(Utf8JsonWriter json)
    {
        json.WriteStartObject("logging");
        foreach (var target in new[] { "console", "file" })
        {
            json.WriteStartObject(target);
            json.WriteString("level", "ERROR");
            json.WriteBoolean("use", target == "console");
            json.WriteString("path", "");
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
