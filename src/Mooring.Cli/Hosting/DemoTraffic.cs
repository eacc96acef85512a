using System.Net;
using System.Net.Sockets;
using System.Text;
using Mooring.Chat;
using Mooring.Kernel.Files;
using Mooring.Mqtt;
using Mooring.Mqtt.Broker;
using Mooring.Mqtt.Client;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Server;

namespace Mooring.Cli.Hosting;

/// <summary>
/// What <c>mooring up --demo</c> lets happen besides virtual cars: a tunnel with visitors, two people who talk, and a machine that tells its
/// temperature. All of it comes in from the outside, over the same listeners as everybody else.
/// </summary>
internal sealed partial class DemoTraffic(IServiceProvider services, string dataFolder, ILogger<DemoTraffic> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private static readonly string[] Paths = ["/", "/orders", "/orders/1207", "/stock", "/orders", "/stock/pallets", "/favicon.ico"];

    private static readonly (string Who, string What)[] Talk =
    [
        ("dispatch", "Pallet 1207 leaves hall 2 now."), ("yard", "Seen, gate 4 is free."), ("dispatch", "demo_3 takes it."),
        ("yard", "Battery of demo_3 is fine?"), ("dispatch", "More than enough for two tours."), ("yard", "Good. Gate 4 closes at five."),
    ];

    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger = logger;
    private readonly TimeProvider _time = services.GetRequiredService<TimeProvider>();
    private Task _running = Task.CompletedTask;

    internal static void AddTo(MooringHost host, string dataFolder) => host.Services.AddHostedService(services =>
        new DemoTraffic(services, dataFolder, services.GetRequiredService<ILogger<DemoTraffic>>()));

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // When everything has started: now there are listeners to come to.
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(
            TryAsync("tunnel", PublishAsync), TryAsync("chat", stop => TalkAsync("dispatch", stop)), TryAsync("chat", stop => TalkAsync("yard", stop)),
            TryAsync("broker", MeasureAsync));
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A demonstration that cannot be given, for example because a system is switched off or asks for a password, is none.</summary>
    private async Task TryAsync(string what, Func<CancellationToken, Task> play)
    {
        // Whoever starts the program waits for what it prints, not for this.
        await Task.Yield();
        try
        {
            await play(_stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The process stops.
        }
        catch (Exception exception)
        {
            LogNotPlayed(what, exception.Message);
        }
    }

    private async Task PublishAsync(CancellationToken cancellationToken)
    {
        if (services.GetService<TunnelServer>() is not { } server) return;
        await using var application = ShopFloor();
        await application.StartAsync(cancellationToken);
        var control = services.TunnelControlEndPoint().ToString();
        var options = new TunnelClientOptions
        {
            Server = control,
            Token = await TokenAsync(control, cancellationToken),
            Tunnels = [new TunnelDefinition { LocalPort = new Uri(application.Urls.First()).Port, LocalHost = "127.0.0.1", Subdomain = "demo" }],
        };
        await using var client = await TunnelClient.ConnectAsync(options, cancellationToken: cancellationToken);
        using var visitor = new HttpClient();
        for (var i = 0; ; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{server.Http.Port}{Paths[i % Paths.Length]}");
            request.Headers.Host = new Uri(client.Tunnels[0].Url).Authority;
            using var answer = await visitor.SendAsync(request, cancellationToken);
            await Task.Delay(Pause, _time, cancellationToken);
        }
    }

    private static WebApplication ShopFloor()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        RequestDelegate answer = context =>
        {
            var isKnown = context.Request.Path != "/favicon.ico";
            context.Response.StatusCode = isKnown ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
            return context.Response.WriteAsync(isKnown ? "Hello from the shop floor.\n" : "", context.RequestAborted);
        };
        application.Map("/{**path}", answer);
        return application;
    }

    /// <summary>The account of the last start, so that every start does not leave another one.</summary>
    private async Task<string> TokenAsync(string control, CancellationToken cancellationToken)
    {
        var path = Path.Combine(dataFolder, "demo-tunnel.token");
        if (File.Exists(path)) return await File.ReadAllTextAsync(path, cancellationToken);
        using var api = new TunnelApi(control);
        var token = await api.RegisterAsync(cancellationToken: cancellationToken);
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(token), new AtomicFileOptions { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        return token;
    }

    private async Task TalkAsync(string name, CancellationToken cancellationToken)
    {
        if (services.GetService<ChatServer>() is not { SocketEndPoints: [var address, ..] }) return;
        using var client = new TcpClient();
        await client.ConnectAsync(address, cancellationToken);
        await using var stream = client.GetStream();
        var reading = stream.CopyToAsync(Stream.Null, cancellationToken);
        await SayAsync($"JOIN main:{name}");
        for (var i = 0; !reading.IsCompleted; i++)
        {
            await Task.Delay(Pause * 2, _time, cancellationToken);
            var (who, what) = Talk[i % Talk.Length];
            if (who == name) await SayAsync($"SEND main:{name} {what}");
        }

        ValueTask SayAsync(string line) => stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken);
    }

    private async Task MeasureAsync(CancellationToken cancellationToken)
    {
        var listener = services.GetService<MqttBroker>()?.Bound.FirstOrDefault(listener => listener.Transport == MqttTransport.Tcp);
        if (listener is null) return;
        var server = new Uri($"mqtt://{listener.EndPoint}");
        await using var press = new MqttClient(new MqttClientOptions { Server = server, ClientId = "demo-press-1" });
        await using var panel = new MqttClient(new MqttClientOptions { Server = server, ClientId = "demo-panel" });
        await press.StartAsync(cancellationToken);
        await panel.StartAsync(cancellationToken);
        await panel.SubscribeAsync(new MqttSubscription("plant/#"), (_, _) => ValueTask.CompletedTask, cancellationToken);
        for (var i = 0; ; i++)
        {
            var degrees = Math.Round(61 + (4 * Math.Sin(i / 9.0)), 1);
            await TellAsync("plant/press-1/temperature", FormattableString.Invariant($"{degrees}"), isRetained: true);
            await TellAsync("plant/press-1/stroke", FormattableString.Invariant($"{{\"count\":{i},\"ms\":{180 + (i % 7)}}}"), isRetained: false);
            await Task.Delay(Pause / 4, _time, cancellationToken);
        }

        ValueTask TellAsync(string topic, string text, bool isRetained) => press.PublishAsync(
            new MqttMessage { Topic = topic, Payload = Encoding.UTF8.GetBytes(text), QualityOfService = QualityOfService.AtLeastOnce, Retain = isRetained }, cancellationToken);
    }

    [LoggerMessage(9400, LogLevel.Debug, "the {What} of the demonstration is not played: {Why}")]
    private partial void LogNotPlayed(string what, string why);
}
