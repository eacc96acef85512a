using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Mooring.Fleet.Configuration;
using Mooring.Kernel.Options;

namespace Mooring.Fleet.Tests.Configuration;

/// <summary>The external server's configuration: both shapes, every key missing, and every wrong kind of value.</summary>
public sealed class FleetOptionsFileTests
{
    private static readonly string Library = typeof(FleetOptionsFileTests).Assembly.Location;

    private static JsonObject Valid() => JsonNode.Parse($$"""
        {
          "company_name": "company_1",
          "external_communication": {
            "protocol": "MQTT", "server_address": "127.0.0.1", "server_port": 1883, "timeout_ms": 40000,
            "ca_certs_file": "", "cert_file": "", "key_file": ""
          },
          "timeout": 30,
          "send_invalid_command": true,
          "sleep_duration_after_connection_refused": 0.5,
          "common_modules": { "1000": { "lib_path": "{{Library}}", "config": { "api_url": "http://x", "n": 5, "on": true, "whole": 2.0 } } },
          "cars": { "car_a": {}, "car_b": { "specific_modules": { "2": { "lib_path": "{{Library}}", "timeout_ms": 250 } } } },
          "logging": { "console": { "level": "info", "use": true }, "file": { "level": "DEBUG", "use": false, "path": "" } }
        }
        """)!.AsObject();

    private static JsonObject ValidOld()
    {
        var root = Valid();
        root.Remove("external_communication");
        (root["mqtt_address"], root["mqtt_port"], root["mqtt_timeout"]) = ("broker.example", 8883, 20);
        return root;
    }

    private static JsonObject Place(JsonObject root, string path)
    {
        foreach (var name in path.Split('/')[..^1]) root = root[name]!.AsObject();
        return root;
    }

    private static (FleetOptions Options, OptionsErrors Errors) Read(JsonNode root) => Read(root.ToJsonString());

    private static (FleetOptions Options, OptionsErrors Errors) Read(string text)
    {
        var errors = new OptionsErrors();
        var options = FleetOptionsFile.Read(JsonReading.Parse(
            Encoding.UTF8.GetBytes(text), "test", errors, JsonLeniency.All & ~JsonLeniency.ScalarTexts));
        return (options, errors);
    }

    private static OptionsErrors With(string path, string value)
    {
        var root = Valid();
        Place(root, path)[path.Split('/')[^1]] = JsonNode.Parse(value);
        return Read(root).Errors;
    }

    [Fact]
    public void C032_all_keys_valid_are_read()
    {
        var (options, errors) = Read(Valid());
        Assert.Empty(errors.All);
        Assert.Empty(errors.Warnings);
        Assert.Equal("company_1", options.Company);
        Assert.Equal("127.0.0.1:1883", options.Broker.ToString());
        Assert.Null(options.Broker.Tls);
        Assert.Equal((TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(30)), (options.SessionTimeout, options.StepTimeout));
        Assert.Equal(TimeSpan.FromMilliseconds(500), options.RetryDelay);
        Assert.True(options.SendInvalidCommand);
        Assert.Equal(["car_a", "car_b"], options.Cars.Select(c => c.Name));
        Assert.Equal([2, 1000], options.Cars[1].Modules.Select(m => m.Number));
        Assert.Equal((TimeSpan.FromMilliseconds(250), 0), (options.Cars[1].Modules[0].PollTimeout, options.Cars[1].Modules[0].Parameters.Count));
        Assert.Equal(
            ["api_url=http://x", "n=5", "on=1", "whole=2"], options.Cars[0].Modules[0].Parameters.Select(p => $"{p.Key}={p.Value}"));
        Assert.Equal((LogLevel.Information, LogLevel.None), (options.Logging.Console, options.Logging.File));
    }

    [Fact]
    public void C1_older_shape_is_read_with_a_warning()
    {
        var (options, errors) = Read(ValidOld());
        Assert.Empty(errors.All);
        Assert.Contains("older shape", Assert.Single(errors.Warnings).Rule, StringComparison.Ordinal);
        Assert.Equal("broker.example:8883", options.Broker.ToString());
        Assert.Equal(TimeSpan.FromSeconds(20), options.SessionTimeout);
    }

    [Fact]
    public void C1_mix_of_both_shapes_is_refused()
    {
        var root = Valid();
        root["mqtt_port"] = 1883;
        Assert.Equal("mqtt_port", Assert.Single(Read(root).Errors.All).Key);
    }

    [Theory]
    [InlineData("company_name")]
    [InlineData("external_communication")]
    [InlineData("external_communication/protocol")]
    [InlineData("external_communication/server_address")]
    [InlineData("external_communication/server_port")]
    [InlineData("external_communication/timeout_ms")]
    [InlineData("timeout")]
    [InlineData("send_invalid_command")]
    [InlineData("sleep_duration_after_connection_refused")]
    [InlineData("common_modules")]
    [InlineData("common_modules/1000/lib_path")]
    [InlineData("cars")]
    [InlineData("logging")]
    [InlineData("logging/console")]
    [InlineData("logging/file")]
    [InlineData("logging/console/level")]
    [InlineData("logging/file/use")]
    public void C033_each_missing_key_is_refused_by_name(string path)
    {
        var root = Valid();
        Place(root, path).Remove(path.Split('/')[^1]);
        var error = Assert.Contains(path.Replace('/', '.'), Read(root).Errors.All.ToDictionary(e => e.Key));
        Assert.StartsWith("must be given", error.Rule, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mqtt_address")]
    [InlineData("mqtt_port")]
    [InlineData("mqtt_timeout")]
    public void C033_each_missing_key_of_the_older_shape_is_refused_by_name(string key)
    {
        var root = ValidOld();
        root.Remove(key);
        Assert.Equal(key, Assert.Single(Read(root).Errors.All).Key);
    }

    [Theory]
    [InlineData("abc_12", true)]
    [InlineData("", true)]
    [InlineData("Abc", false)]
    [InlineData("a-b", false)]
    [InlineData("a b", false)]
    [InlineData("a!", false)]
    public void C034_names_are_small_letters_digits_and_underscores(string name, bool isGood)
    {
        Assert.Equal(isGood, With("company_name", $"\"{name}\"").IsEmpty);
        Assert.Equal(isGood, With($"cars/{name}", "{}").IsEmpty);
    }

    [Theory]
    [InlineData("\"\"", false)]
    [InlineData("\"host:1883\"", false)]
    [InlineData("5", false)]
    [InlineData("null", false)]
    [InlineData("\"my_broker\"", true)]
    [InlineData("\"http://127.0.0.1\"", true)]
    [InlineData("\"::1\"", true)]
    public void C035_server_address_is_a_host_without_port(string value, bool isGood) =>
        Assert.Equal(isGood, With("external_communication/server_address", value).IsEmpty);

    [Theory]
    [InlineData("0", true)]
    [InlineData("1", true)]
    [InlineData("1000", true)]
    [InlineData("\"1883\"", true)]
    [InlineData("65535", true)]
    [InlineData("65536", false)]
    [InlineData("-1", false)]
    [InlineData("1.5", false)]
    [InlineData("\"\"", false)]
    [InlineData("true", false)]
    [InlineData("[]", false)]
    public void C036_port_is_0_to_65535(string value, bool isGood) =>
        Assert.Equal(isGood, With("external_communication/server_port", value).IsEmpty);

    [Theory]
    [InlineData("timeout", "0", true)]
    [InlineData("timeout", "0.5", true)]
    [InlineData("timeout", "\"20\"", true)]
    [InlineData("timeout", "-1", false)]
    [InlineData("timeout", "\"\"", false)]
    [InlineData("timeout", "{}", false)]
    [InlineData("timeout", "1e300", false)]
    [InlineData("external_communication/timeout_ms", "0", true)]
    [InlineData("external_communication/timeout_ms", "-1", false)]
    [InlineData("external_communication/timeout_ms", "0.5", false)]
    [InlineData("sleep_duration_after_connection_refused", "0", true)]
    [InlineData("sleep_duration_after_connection_refused", "-0.5", false)]
    [InlineData("sleep_duration_after_connection_refused", "\"\"", false)]
    public void C037_C038_times_are_0_or_more(string path, string value, bool isGood) =>
        Assert.Equal(isGood, With(path, value).IsEmpty);

    [Fact]
    public void C039_C041_every_car_needs_a_module()
    {
        var root = Valid();
        root["common_modules"] = new JsonObject();
        var error = Assert.Single(Read(root).Errors.All);
        Assert.Equal("cars.car_a", error.Key);
        Assert.Contains("at least one module", error.Rule, StringComparison.Ordinal);

        Place(root, "cars/x")["car_a"] = JsonNode.Parse($$"""{ "specific_modules": { "5": { "lib_path": "{{Library}}" } } }""");
        Assert.Empty(Read(root).Errors.All);
    }

    [Fact]
    public void C040_no_cars_are_refused()
    {
        Assert.Equal("at least one car is needed", Assert.Single(With("cars", "{}").All).Rule);
        Assert.Equal("cars", Assert.Single(With("cars", "[]").All).Key);
    }

    [Theory]
    [InlineData("1000")]
    [InlineData("01000")]
    public void C042_module_that_is_common_and_specific_is_refused_also_when_written_differently(string number)
    {
        var error = Assert.Single(With("cars/car_a", $$"""{ "specific_modules": { "{{number}}": { "lib_path": "{{Library}}" } } }""").All);
        Assert.Contains("module 1000 is in common_modules too", error.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void C043_library_that_does_not_exist_is_refused()
    {
        var error = Assert.Single(With("common_modules/1000/lib_path", "\"/no/such.so\"").All);
        Assert.Equal(("common_modules.1000.lib_path", "/no/such.so"), (error.Key, error.Value));
        Assert.False(With("common_modules/1000/lib_path", "\"/tmp\"").IsEmpty);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("5")]
    [InlineData("\"text\"")]
    [InlineData("[]")]
    public void Cars_modules_and_blocks_of_a_wrong_kind_are_refused_and_never_throw(string value)
    {
        foreach (var path in new[] { "cars/car_a", "cars", "common_modules", "common_modules/1000", "logging", "logging/console", "external_communication" })
            Assert.False(With(path, value).IsEmpty, path);
        foreach (var path in new[] { "polling", "limits", "compatibility" })
            Assert.Equal(value == "null", With(path, value).IsEmpty);
        Assert.False(Read(value).Errors.IsEmpty);
    }

    [Theory]
    [InlineData("{ \"a\": null }")]
    [InlineData("{ \"a\": 1.5 }")]
    [InlineData("{ \"a\": { \"b\": 1 } }")]
    [InlineData("{ \"a\": [] }")]
    [InlineData("5")]
    public void C2_module_config_may_be_missing_but_not_wrong_and_values_are_not_shown(string value)
    {
        var error = Assert.Single(With("common_modules/1000/config", value).All);
        Assert.StartsWith("common_modules.1000.config", error.Key, StringComparison.Ordinal);
        if (value != "5") Assert.Null(error.Value);
    }

    [Fact]
    public void Unknown_keys_are_warnings_that_name_the_nearest_known_one()
    {
        var root = Valid();
        root.Remove("timeout");
        root["timeuot"] = 30;
        var errors = Read(root).Errors;
        Assert.Equal("timeout", Assert.Single(errors.All).Key);
        Assert.Equal("timeuot: unknown key; did you mean 'timeout'?", Assert.Single(errors.Warnings).ToString());
    }

    [Fact]
    public void All_errors_are_told_at_once_with_key_value_and_rule()
    {
        var root = Valid();
        (root["company_name"], root["timeout"], root["connections"]) = ("Bad!", "soon", "many");
        Place(root, "logging/file/level")["level"] = "LOUD";
        Place(root, "external_communication/protocol")["protocol"] = "mqtt";
        var lines = Read(root).Errors.All.Select(e => e.ToString()).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(5, lines.Length);
        Assert.Equal("company_name: 'Bad!' is not allowed: use small letters, digits and _ only", lines[0]);
        Assert.Equal("external_communication.protocol: 'mqtt' is not allowed: use MQTT, in capitals", lines[2]);
        Assert.Equal("logging.file.level: 'LOUD' is not allowed: use one of DEBUG, INFO, WARNING, ERROR, CRITICAL", lines[3]);
    }

    [Theory]
    [InlineData(15_000)]
    [InlineData(10_000)]
    [InlineData(30_000)]
    public void C6_session_timeout_that_meets_the_forced_statuses_is_warned_about(int milliseconds)
    {
        var errors = With("external_communication/timeout_ms", $"{milliseconds}");
        Assert.Empty(errors.All);
        Assert.Contains("15 s", Assert.Single(errors.Warnings).Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void C3_C5_tls_files_and_credentials_are_read_and_half_a_certificate_is_refused()
    {
        var root = Valid();
        var place = root["external_communication"]!.AsObject();
        (place["ca_certs_file"], place["cert_file"], place["key_file"]) = (Library, Library, Library);
        (place["username"], place["password"]) = ("fleet", "secret");
        var (options, errors) = Read(root);
        Assert.Empty(errors.All);
        Assert.Equal((Library, "fleet", "secret"), (options.Broker.Tls!.Key, options.Broker.UserName, options.Broker.Password));

        place["key_file"] = "";
        place["ca_certs_file"] = "/no/such.pem";
        Assert.Equal(
            ["external_communication.ca_certs_file", "external_communication.key_file"], Read(root).Errors.All.Select(e => e.Key));
    }

    [Theory]
    [InlineData("\"discard\"", OfflinePolicy.Discard, 10)]
    [InlineData("\"newest\"", OfflinePolicy.Newest, 10)]
    [InlineData("{ \"keep\": 3 }", OfflinePolicy.Keep, 3)]
    public void Offline_commands_are_discarded_or_kept(string value, OfflinePolicy policy, int kept)
    {
        var root = Valid();
        root["offline_commands"] = JsonNode.Parse(value);
        var options = Read(root).Options;
        Assert.Equal((policy, kept), (options.OfflineCommands, options.KeptCommandsMax));
    }

    [Fact]
    public void Lenient_values_of_the_original_are_taken()
    {
        var root = Valid();
        root["send_invalid_command"] = "yes";
        Place(root, "logging/console/use")["use"] = 1;
        Place(root, "external_communication/server_port")["server_port"] = 1883.0;
        var (options, errors) = Read(root);
        Assert.Empty(errors.All);
        Assert.True(options.SendInvalidCommand);
    }
}
