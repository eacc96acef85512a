using Mooring.Kernel.Tracing;
using Mooring.Mqtt.Tracing;

namespace Mooring.Mqtt.Client.Sessions;

/// <summary>Runs the handlers of one client, one message after another, and acknowledges what they are done with.</summary>
internal sealed class Dispatcher(MqttClient client, ClientSession session, Inbox inbox, ClientLog log)
{
    // Set once for the whole flow of the dispatcher, so that every handler and what it awaits sees it.
    private static readonly AsyncLocal<MqttClient?> Handling = new();

    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Whether the caller is a handler of this client.</summary>
    internal static bool IsHandlerOf(MqttClient client) => ReferenceEquals(Handling.Value, client);

    internal async Task RunAsync()
    {
        Handling.Value = client;
        var batch = new List<Inbound>();
        var handlers = new List<MqttMessageHandler>();
        while (await inbox.TakeAsync(batch).ConfigureAwait(false))
        {
            foreach (var inbound in batch)
            {
                if (!_stopping.IsCancellationRequested) await HandleAsync(inbound, handlers).ConfigureAwait(false);
                Inbox.Release(inbound);
            }
            session.FlushAcks();
        }
    }

    /// <summary>Tells the running handler to end and lets no other begin.</summary>
    internal void Stop()
    {
        inbox.Close();
        _stopping.Cancel();
    }

    private async ValueTask HandleAsync(Inbound inbound, List<MqttMessageHandler> handlers)
    {
        session.FindHandlers(inbound.Message, inbound.Connection.CarriesIdentifiers, handlers);
        using var activity = MqttTracing.StartProcess(inbound.Message);
        var message = activity is null ? inbound.Message : inbound.Message with { Trace = new TraceContext(activity.Context) };
        foreach (var handler in handlers)
        {
            try
            {
                var handled = handler(message, _stopping.Token);
                if (handled.IsCompletedSuccessfully) continue;
                // It takes its time; the acknowledgements of those before it do not wait.
                session.FlushAcks();
                await handled.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // A handler's failure is its own; the next message must still arrive.
                log.HandlerFailed(client.ClientId, inbound.Message.Topic, error);
            }
        }
        session.Handled(inbound);
    }
}
