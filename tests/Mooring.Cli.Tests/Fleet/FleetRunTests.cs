using System.Text.Json.Nodes;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Fleet;

/// <summary><c>mooring fleet</c> as a process, on a broker that we did not write, with gateways made of its tools.</summary>
[Trait("Peer", "real")]
public sealed class FleetRunTests : FleetProcessTest
{
    private async Task<Mosquitto> StartBrokerAsync()
    {
        var broker = Own(new Mosquitto(Folder));
        await broker.StartAsync(TestTimeout);
        return broker;
    }

    private async Task<ShellGateway> StartGatewayAsync(Mosquitto broker, string car = "car")
    {
        await broker.SubscribedAsync($"company/{car}/module_gateway", TestTimeout);
        return Own(await ShellGateway.StartAsync(broker, car, TestTimeout));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task C052_C049_car_drives_and_a_signal_ends_its_session_with_a_note_and_the_process_with_0(bool interrupt)
    {
        var broker = await StartBrokerAsync();
        Configure(broker.Port);
        var fleet = StartFleet();
        var gateway = await StartGatewayAsync(broker);
        await gateway.ConnectAsync("sess0001", TestTimeout);
        await gateway.RoundTripAsync("sess0001", 2, TestTimeout);
        // The sample module answers a pressed button with a command of its own.
        await gateway.SendAsync(GatewayBytes.Status("sess0001", GatewayBytes.Running, 3, "{\"pressed\": true}"), TestTimeout);
        var answers = new[] { await gateway.NextAsync(TestTimeout), await gateway.NextAsync(TestTimeout) }.Order().ToArray();
        Assert.Equal("external_server 120c0a0873657373303030311803", answers[0]);
        Assert.Equal("external_server 1a350a0873657373303030311001" + "1a270a1308e8071a06746573745f312206427574746f6e1210" + "7b226c69745f7570223a20747275657d", answers[1]);

        if (interrupt) fleet.Interrupt();
        else fleet.Terminate();
        Assert.Equal(ShellGateway.Note, await gateway.NextAsync(TestTimeout));
        Assert.Equal(0, await fleet.ExitAsync(TestTimeout));
    }

    [Fact]
    public async Task Configuration_is_logged_at_the_start_to_console_and_file_without_secrets()
    {
        var broker = await StartBrokerAsync();
        Configure(broker.Port, root =>
        {
            root["external_communication"]!["username"] = "me";
            root["external_communication"]!["password"] = "secret1";
            root["common_modules"]!["1000"]!["config"]!["api_key"] = "secret2";
            root["logging"]!["file"] = JsonNode.Parse($$"""{ "level": "INFO", "use": true, "path": "{{Folder}}" }""");
        });
        var fleet = StartFleet();
        await fleet.LineAsync("Configuration: company 'company', broker localhost:", TestTimeout);
        fleet.Interrupt();
        Assert.Equal(0, await fleet.ExitAsync(TestTimeout));
        var file = await File.ReadAllTextAsync(Path.Combine(Folder, "external_server.log"), TestTimeout);
        Assert.Contains("Configuration: company 'company'", file, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", file + string.Join('\n', fleet.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_server_is_started_again_and_the_car_connects_with_a_new_session()
    {
        var broker = await StartBrokerAsync();
        Configure(broker.Port);
        var first = StartFleet();
        var gateway = await StartGatewayAsync(broker);
        await gateway.ConnectAsync("sess0001", TestTimeout);
        first.Kill();
        await first.ExitAsync(TestTimeout);

        var second = StartFleet();
        await second.LineAsync("Uninitialized -> Connected", TestTimeout);
        await gateway.ConnectAsync("sess0002", TestTimeout);
        await gateway.RoundTripAsync("sess0002", 2, TestTimeout);
    }

    [Fact]
    public async Task C050_without_a_broker_each_attempt_is_a_warning_and_with_it_the_car_connects()
    {
        var broker = Own(new Mosquitto(Folder));
        Configure(broker.Port);
        var fleet = StartFleet();
        await fleet.LineAsync(line => line.Contains("[WARNING]", StringComparison.Ordinal) && line.Contains("Could not connect", StringComparison.Ordinal), "a warning", TestTimeout);
        await broker.StartAsync(TestTimeout);
        var gateway = await StartGatewayAsync(broker);
        await gateway.ConnectAsync("sess0001", TestTimeout);
    }

    [Fact]
    public async Task C013_C131_broker_that_was_gone_comes_back_and_the_car_connects_again()
    {
        var broker = await StartBrokerAsync();
        Configure(broker.Port);
        var fleet = StartFleet();
        var gateway = await StartGatewayAsync(broker);
        await gateway.ConnectAsync("sess0001", TestTimeout);
        await fleet.LineAsync("session sess0001 runs", TestTimeout);
        await broker.StopAsync();
        await fleet.LineAsync("session sess0001 ended: the broker was lost", TestTimeout);
        await broker.StartAsync(TestTimeout);
        var again = await StartGatewayAsync(broker);
        // Not again by the note of the lost session: that one may have left before this gateway subscribed.
        await again.SendAsync(GatewayBytes.Connect("sess0002", "car"), TestTimeout);
        var answer = await again.NextAsync(TestTimeout);
        if (answer == ShellGateway.Note) answer = await again.NextAsync(TestTimeout);
        Assert.Equal("external_server 0a0a0a087365737330303032", answer);
    }

    [Fact]
    public async Task Older_shape_of_the_configuration_drives_a_car_too()
    {
        var broker = await StartBrokerAsync();
        Configure(broker.Port, root =>
        {
            root.AsObject().Remove("external_communication");
            root["mqtt_address"] = "localhost";
            root["mqtt_port"] = broker.Port;
            root["mqtt_timeout"] = 40;
            root["common_modules"]!["1000"]!.AsObject().Remove("config");
        });
        var fleet = StartFleet();
        await fleet.LineAsync("are the older shape", TestTimeout);
        var gateway = await StartGatewayAsync(broker);
        await gateway.ConnectAsync("sess0001", TestTimeout);
    }

    [Fact]
    public async Task SIGHUP_adds_a_car_and_leaves_the_session_of_the_other_alone()
    {
        var broker = await StartBrokerAsync();
        Configure(broker.Port);
        var fleet = StartFleet();
        var gateway = await StartGatewayAsync(broker);
        await gateway.ConnectAsync("sess0001", TestTimeout);

        await File.WriteAllTextAsync(ConfigPath, "{ not json", TestTimeout);
        fleet.HangUp();
        await fleet.LineAsync("the configuration stays as it was", TestTimeout);

        Configure(broker.Port, null, "car", "other");
        fleet.HangUp();
        await fleet.LineAsync("Configuration taken over: 1 car(s) new or changed, 1 kept", TestTimeout);
        var other = await StartGatewayAsync(broker, "other");
        await other.ConnectAsync("sess0009", TestTimeout);
        await gateway.RoundTripAsync("sess0001", 2, TestTimeout);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task C029_TLS_with_three_files_by_flag_or_configuration_and_the_name_of_the_broker_is_checked(bool byFlag)
    {
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(Folder, "tls"), TimeProvider.System);
        var broker = Own(new Mosquitto(Folder, authority));
        await broker.StartAsync(TestTimeout);
        var files = authority.Client("server");
        Configure(broker.Port, byFlag ? null : root =>
        {
            var block = root["external_communication"]!;
            (block["ca_certs_file"], block["cert_file"], block["key_file"]) = (authority.AuthorityPath, files.Certificate, files.Key);
        });
        var fleet = byFlag
            ? StartFleet("--tls", "--ca", authority.AuthorityPath, "--cert", files.Certificate!, "--key", files.Key!)
            : StartFleet();
        var gateway = await StartGatewayAsync(broker);
        await gateway.ConnectAsync("sess0001", TestTimeout);
        fleet.Terminate();
        Assert.Equal(0, await fleet.ExitAsync(TestTimeout));

        using var stranger = DevelopmentAuthority.LoadOrCreate(Path.Combine(Folder, "other-tls"), TimeProvider.System);
        var distrusting = StartFleet("--tls", "--ca", stranger.AuthorityPath, "--cert", files.Certificate!, "--key", files.Key!);
        await distrusting.LineAsync("Could not connect to the broker", TestTimeout);
    }

    [Fact]
    public async Task Health_metrics_and_operator_API_are_served_when_asked_for()
    {
        var broker = await StartBrokerAsync();
        Configure(broker.Port);
        var port = FreePort.Next();
        var fleet = StartFleet("--http-port", port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var gateway = await StartGatewayAsync(broker);
        await gateway.ConnectAsync("sess0001", TestTimeout);
        await fleet.LineAsync("session sess0001 runs", TestTimeout);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        Assert.Contains("\"fleet\":\"ready\"", await http.GetStringAsync(new Uri("/health/ready", UriKind.Relative), TestTimeout), StringComparison.Ordinal);
        var car = JsonNode.Parse(await http.GetStringAsync(new Uri("/api/fleet/cars/car", UriKind.Relative), TestTimeout))!;
        Assert.Equal("Running", (string?)(car["car"] ?? car)["state"]);
        var description = JsonNode.Parse(await http.GetStringAsync(new Uri("/api/openapi.json", UriKind.Relative), TestTimeout))!;
        Assert.NotNull(description["paths"]!["/api/fleet/cars/{car}/commands"]!["post"]!["requestBody"]);
        Assert.Contains("mooring_fleet_sessions_total 1", await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestTimeout), StringComparison.Ordinal);
    }
}
