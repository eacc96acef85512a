using System.Buffers;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Metrics;

namespace Mooring.Edge.Agent.Metrics;

/// <summary>
/// Serves <c>/metrics</c> on 127.0.0.1, for an agent that was told to. The framework's small listener: a web server for one page would be most of what the
/// agent needs.
/// </summary>
internal sealed partial class MetricsPage(int port, AgentMetrics metrics, TimeProvider time, ILogger<MetricsPage> logger) : BackgroundService
{
    /// <summary>Answers under way at a time; there is one Prometheus, and perhaps a person.</summary>
    internal const int AnswersMax = 4;

    /// <summary>A reader that has not taken the page by then is cut off.</summary>
    internal static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    private readonly HttpListener _listener = new();
    private readonly SemaphoreSlim _room = new(AnswersMax);

    /// <exception cref="AgentStartException">The port cannot be had.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/");
        _listener.Prefixes.Add(address);
        try
        {
            _listener.Start();
        }
        catch (HttpListenerException e)
        {
            throw new AgentStartException($"--metrics-port: {port} cannot be had: {e.Message}");
        }
        LogListens(logger, address);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _listener.Close();
        metrics.Dispose();
        _room.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = stoppingToken.UnsafeRegister(static listener => ((HttpListener)listener!).Stop(), _listener);
        try
        {
            while (true)
            {
                await _room.WaitAsync(stoppingToken).ConfigureAwait(false);
                _ = AnswerAsync(await _listener.GetContextAsync().ConfigureAwait(false));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            if (!stoppingToken.IsCancellationRequested) LogEnded(logger, e.Message);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var limit = new CancellationTokenSource(AnswerTimeout, time);
        using var cut = limit.Token.UnsafeRegister(static response => ((HttpListenerResponse)response!).Abort(), context.Response);
        try
        {
            var response = context.Response;
            if (context.Request.Url?.AbsolutePath != "/metrics") response.StatusCode = 404;
            else if (context.Request.HttpMethod is not ("GET" or "HEAD")) (response.StatusCode, response.Headers["Allow"]) = (405, "GET, HEAD");
            else await WriteAsync(context, limit.Token).ConfigureAwait(false);
            response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            // Whoever asked has gone.
        }
        finally
        {
            _room.Release();
        }
    }

    private async Task WriteAsync(HttpListenerContext context, CancellationToken cancellationToken)
    {
        var page = new ArrayBufferWriter<byte>(4096);
        metrics.WriteTo(page);
        context.Response.ContentType = PrometheusExporter.ContentType;
        context.Response.ContentLength64 = page.WrittenCount;
        if (context.Request.HttpMethod == "GET") await context.Response.OutputStream.WriteAsync(page.WrittenMemory, cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(7160, LogLevel.Information, "metrics at {Address}metrics")]
    private static partial void LogListens(ILogger logger, string address);

    [LoggerMessage(7161, LogLevel.Warning, "the page of metrics has ended: {Reason}")]
    private static partial void LogEnded(ILogger logger, string reason);
}
