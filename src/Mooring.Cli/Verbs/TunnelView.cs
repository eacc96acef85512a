using System.Globalization;
using Mooring.Tunnel.Client;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Mooring.Cli.Verbs;

/// <summary>What a person at a terminal sees: tunnels, traffic and the last requests, drawn anew twice a second.</summary>
internal sealed class TunnelView(TimeProvider time)
{
    private const int RequestsShown = 12;
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly Queue<ObservedRequest> _requests = new();
    private readonly long _started = time.GetTimestamp();

    internal void Add(ObservedRequest request)
    {
        lock (_gate)
        {
            if (_requests.Count == RequestsShown) _requests.Dequeue();
            _requests.Enqueue(request);
        }
    }

    /// <summary>Draws until the client ends or is stopped.</summary>
    internal async Task RunAsync(TunnelClient client, CancellationToken stopping)
    {
        await AnsiConsole.Live(Draw(client)).StartAsync(async live =>
        {
            using var timer = new PeriodicTimer(s_period, time);
            while (!stopping.IsCancellationRequested && !client.Completion.IsCompleted)
            {
                live.UpdateTarget(Draw(client));
                try
                {
                    await timer.WaitForNextTickAsync(stopping);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        });
    }

    /// <summary>Bytes for a person, in steps of 1024 with one decimal.</summary>
    internal static string Bytes(long bytes)
    {
        string[] units = ["B", "KB", "MB", "GB", "TB", "PB"];
        double value = bytes;
        var unit = 0;
        for (; value >= 1024 && unit < units.Length - 1; unit++) value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {units[unit]}");
    }

    private Rows Draw(TunnelClient client)
    {
        var parts = new List<IRenderable> { Details(client), Traffic(client) };
        if (Requests() is { } requests) parts.Add(requests);
        parts.Add(new Markup("[dim]Ctrl+C stops[/]"));
        return new Rows(parts);
    }

    private static Panel Details(TunnelClient client)
    {
        var grid = new Grid().AddColumn().AddColumn();
        foreach (var tunnel in client.Tunnels)
        {
            grid.AddRow(new Markup("[dim]URL[/]"), new Markup($"[bold green]{Markup.Escape(tunnel.Url)}[/]"));
            grid.AddRow(
                new Markup("[dim]to[/]"),
                new Text(string.Create(CultureInfo.InvariantCulture, $"{(tunnel.Definition.Protocol == TunnelProtocol.Tcp ? "TCP" : "HTTP")} localhost:{tunnel.Definition.LocalPort}")));
        }
        var status = client.Status;
        grid.AddRow(new Markup("[dim]Status[/]"), new Markup(status switch
        {
            { IsConnected: true } => "[green]● Active[/]",
            { Text: "Error" } => $"[red]● {Markup.Escape(status.Failure?.Message ?? status.Text)}[/]",
            _ => $"[yellow]⟳ {Markup.Escape(status.Text)}[/]",
        }));
        return new Panel(grid) { Header = new PanelHeader("Tunnel Details"), Border = BoxBorder.Rounded, Expand = true };
    }

    private Panel Traffic(TunnelClient client)
    {
        var up = time.GetElapsedTime(_started);
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"Upload {Bytes(client.Tunnels.Sum(t => t.BytesOut))}   Download {Bytes(client.Tunnels.Sum(t => t.BytesIn))}   Requests {client.Tunnels.Sum(t => t.Requests)}   Uptime {(int)up.TotalMinutes}m {up.Seconds}s");
        return new Panel(new Text(text)) { Header = new PanelHeader("Traffic"), Border = BoxBorder.Rounded, Expand = true };
    }

    private Table? Requests()
    {
        ObservedRequest[] shown;
        lock (_gate) shown = [.. _requests];
        if (shown.Length == 0) return null;
        var table = new Table().Border(TableBorder.Rounded).Expand().AddColumns("Method", "Path", "Status", "Time");
        foreach (var request in shown)
        {
            var colour = request.Status switch
            {
                >= 500 or 0 => "red",
                >= 400 => "yellow",
                _ => "green",
            };
            table.AddRow(
                Markup.Escape(request.Method), Markup.Escape(request.Path), string.Create(CultureInfo.InvariantCulture, $"[{colour}]{request.Status}[/]"),
                string.Create(CultureInfo.InvariantCulture, $"{request.Duration.TotalMilliseconds:0.0} ms"));
        }
        return table;
    }
}
