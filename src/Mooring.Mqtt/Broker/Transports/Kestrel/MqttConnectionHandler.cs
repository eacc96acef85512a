using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Transports.Kestrel;

/// <summary>Drives the broker from a Kestrel connection (TLS, WebSocket, in-memory): one loop, no task beside it.</summary>
internal sealed class MqttConnectionHandler(MqttBroker broker, MqttListener listener) : ConnectionHandler
{
    private int _open;

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var isTooMany = Interlocked.Increment(ref _open) > listener.MaximumConnections;
        try
        {
            if (!isTooMany) await ServeAsync(connection).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        var output = new KestrelOutput(connection, broker.Time);
        var certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        var accepted = broker.Accept(output, new ClientEntrance(listener, certificate));
        output.Connection = accepted;
        try
        {
            await ReadAsync(connection.Transport.Input, accepted, output).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or ConnectionResetException or ConnectionAbortedException or OperationCanceledException)
        {
            // The peer went away without a word; its will follows.
        }
        finally
        {
            accepted.OnClosed();
            await output.EndAsync().ConfigureAwait(false);
        }
    }

    private static async Task ReadAsync(PipeReader input, BrokerConnection connection, KestrelOutput output)
    {
        while (!output.IsClosing)
        {
            var result = await input.ReadAsync().ConfigureAwait(false);
            var consumed = result.Buffer.GetPosition(Process(connection, result.Buffer));
            if (output.TakePause() is { } pause)
            {
                input.AdvanceTo(consumed);
                await pause.ConfigureAwait(false);
                output.ForgetPause();
                continue;
            }
            input.AdvanceTo(consumed, result.Buffer.End);
            if (result.IsCompleted) break;
        }
    }

    private static long Process(BrokerConnection connection, in ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsSingleSegment) return connection.OnReceived(buffer.First);
        var length = checked((int)buffer.Length);
        var whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            buffer.CopyTo(whole);
            return connection.OnReceived(whole.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }
}
