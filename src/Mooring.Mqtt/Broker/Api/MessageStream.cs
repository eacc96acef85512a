using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace Mooring.Mqtt.Broker.Api;

/// <summary>A subscription that is read as server-sent events, at most four a second, each with all that came since the last.</summary>
internal sealed class MessageStream(MqttBroker broker, TimeProvider time, HttpContext http, CancellationToken stopping)
{
    private readonly Channel<MessageView> _waiting = Channel.CreateBounded<MessageView>(
        new BoundedChannelOptions(BrokerApiLimits.WaitingMax) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
    private long _dropped;

    /// <exception cref="MqttRefusedException">The filter is none.</exception>
    public async Task RunAsync(string clientId, MqttSubscription subscription)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        await using var client = broker.CreateClient(clientId);
        await client.StartAsync(ending.Token);
        await client.SubscribeAsync(subscription, TakeAsync, ending.Token);
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        try
        {
            await WriteAsync(": subscribed\n\n", ending.Token);
            await SendAsync(ending.Token);
        }
        catch (OperationCanceledException)
        {
            // Whoever read it left, or the process stops.
        }
        await client.StopAsync(TimeSpan.Zero);
    }

    private ValueTask TakeAsync(MqttMessage message, CancellationToken cancellationToken)
    {
        if (!_waiting.Writer.TryWrite(MessageView.Of(message))) Interlocked.Increment(ref _dropped);
        return ValueTask.CompletedTask;
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        var more = _waiting.Reader.WaitToReadAsync(cancellationToken).AsTask();
        while (true)
        {
            try
            {
                await more.WaitAsync(BrokerApiLimits.QuietMax, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                await WriteAsync(":\n\n", cancellationToken);
                continue;
            }
            var messages = new List<MessageView>();
            while (_waiting.Reader.TryRead(out var message)) messages.Add(message);
            var view = new MessagesView(messages, Interlocked.Exchange(ref _dropped, 0));
            await WriteAsync(
                string.Create(CultureInfo.InvariantCulture, $"data: {JsonSerializer.Serialize(view, BrokerApiJson.Default.MessagesView)}\n\n"), cancellationToken);
            await Task.Delay(BrokerApiLimits.WritePeriod, time, cancellationToken);
            more = _waiting.Reader.WaitToReadAsync(cancellationToken).AsTask();
        }
    }

    private async Task WriteAsync(string text, CancellationToken cancellationToken)
    {
        try
        {
            await http.Response.WriteAsync(text, cancellationToken).WaitAsync(BrokerApiLimits.StalledFor, time, cancellationToken);
            await http.Response.Body.FlushAsync(cancellationToken).WaitAsync(BrokerApiLimits.StalledFor, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            http.Abort();
            throw new OperationCanceledException("the reader takes nothing");
        }
    }
}
