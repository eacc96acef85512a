using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Mooring.Tunnel.Client;

namespace Mooring.Cli.Verbs;

/// <summary>Publishes tunnels until a signal comes or the server refuses for good.</summary>
internal static class TunnelRunner
{
    internal const int Unavailable = 69;
    internal const int TryLater = 75;

    internal static async Task<int> RunAsync(
        TunnelTarget target, IReadOnlyList<TunnelDefinition> definitions, TunnelOutput output, CancellationToken cancellationToken, bool isList = false, int? inspectPort = null)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }

        using var loggers = output.CreateLoggers();
        var view = output.HasView ? new TunnelView(TimeProvider.System) : null;
        await using var lines = new RequestLines(Console.Error);
        try
        {
            var token = target.Token ?? await RegisterAsync(target, output, stopping.Token);
            await using var inspector = inspectPort is { } port ? await InspectorHost.StartAsync(port) : null;
            if (inspector is not null) output.Note($"Inspector at http://127.0.0.1:{inspectPort}");
            var options = new TunnelClientOptions
            {
                Inspector = inspector?.Inspector,
                Server = target.Server,
                Token = token,
                Tunnels = definitions,
                IsInsecure = target.IsInsecure,
                Authorities = target.Authorities,
                AnotherToken = (refused, wire, stop) => TokenRecovery.AnotherAsync(target, refused, wire, output, stop),
                Wire = target.Wire,
                KeepsTryingAtStart = true,
                RequestObserved = view is not null ? view.Add : output.IsQuiet ? null : request => lines.Add(Describe(request)),
            };
            output.Note($"Connecting to {target.Server}...");
            await using var client = await TunnelClient.ConnectAsync(options, loggers, cancellationToken: stopping.Token);
            if (view is not null)
            {
                await view.RunAsync(client, stopping.Token);
                await client.Completion.WaitAsync(stopping.Token);
                return 0;
            }
            if (isList) AnnounceList(client, output);
            else Announce(client, output);
            await client.Completion.WaitAsync(stopping.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return 0;
        }
        catch (TunnelException exception)
        {
            TunnelOutput.Error(Explain(exception, target));
            return ExitCodeOf(exception.Outcome);
        }
        catch (TunnelApiException exception)
        {
            TunnelOutput.Error(exception.Message);
            return exception.IsTransient ? TryLater : Unavailable;
        }
    }

    internal static int ExitCodeOf(TunnelOutcome outcome) => outcome switch
    {
        TunnelOutcome.Invalid => 2,
        TunnelOutcome.Exhausted => TryLater,
        _ => Unavailable,
    };

    // Which token that was, and what gives another one, is known here only.
    private static string Explain(TunnelException exception, TunnelTarget target) => exception.Code switch
    {
        "UNAUTHORIZED" when target.IsTokenGiven => $"{target.Server} does not know this token: {exception.Message}",
        "UNAUTHORIZED" => $"{target.Server} does not know the token in {target.File.Path}; give it one that it knows with mooring tunnel authtoken TOKEN: {exception.Message}",
        "AUTH_REQUIRED" => $"{target.Server} wants a token: {exception.Message}",
        _ => exception.Message,
    };

    private static async Task<string> RegisterAsync(TunnelTarget target, TunnelOutput output, CancellationToken cancellationToken)
    {
        using var api = target.Api();
        output.Note("No token yet: registering an anonymous account...");
        var token = await api.RegisterAsync(cancellationToken: cancellationToken);
        await target.File.SetAsync("auth_token", token);
        output.Note($"Saved its token in {target.File.Path}");
        return token;
    }

    private static void Announce(TunnelClient client, TunnelOutput output)
    {
        foreach (var tunnel in client.Tunnels)
        {
            if (output.IsJson)
            {
                var result = new PublishedResult(
                    tunnel.Url, tunnel.Definition.Protocol == TunnelProtocol.Tcp ? "tcp" : "http", tunnel.Definition.LocalPort, tunnel.Subdomain);
                TunnelOutput.Result(JsonSerializer.Serialize(result, TunnelJson.Default.PublishedResult));
                continue;
            }
            TunnelOutput.Result(tunnel.Url);
            output.Note($"Forwarding {tunnel.Url} -> localhost:{tunnel.Definition.LocalPort.ToString(CultureInfo.InvariantCulture)}");
        }
        output.Note("Press Ctrl+C to stop");
        output.Note(new string('-', 40));
    }

    private static void AnnounceList(TunnelClient client, TunnelOutput output)
    {
        if (output.IsJson)
        {
            var list = client.Tunnels.Select(tunnel => new ListedTunnel(
                tunnel.Definition.Name ?? "", tunnel.Url, tunnel.Definition.LocalPort, tunnel.Definition.Protocol == TunnelProtocol.Tcp ? "tcp" : "http"));
            TunnelOutput.Result(JsonSerializer.Serialize(new TunnelList([.. list]), TunnelJson.Default.TunnelList));
            return;
        }
        output.Note($"Active Tunnels ({client.Tunnels.Count.ToString(CultureInfo.InvariantCulture)})");
        foreach (var tunnel in client.Tunnels)
        {
            TunnelOutput.Result($"{tunnel.Definition.Name}={tunnel.Url}");
            output.Note($"  {tunnel.Url} -> localhost:{tunnel.Definition.LocalPort.ToString(CultureInfo.InvariantCulture)}");
        }
        output.Note("Press Ctrl+C to stop");
    }

    private static string Describe(ObservedRequest request) => string.Create(
        CultureInfo.InvariantCulture, $"{TimeProvider.System.GetLocalNow():HH:mm:ss} [INFO] {request.Method} {request.Path} -> {request.Status}");
}

internal sealed record PublishedResult(string Url, string Protocol, int LocalPort, string Subdomain);

internal sealed record ListedTunnel(string Name, string Url, int LocalPort, string Protocol);

internal sealed record TunnelList(IReadOnlyList<ListedTunnel> Tunnels);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PublishedResult))]
[JsonSerializable(typeof(TunnelList))]
internal sealed partial class TunnelJson : JsonSerializerContext;
