using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Mooring.Mqtt.Broker.Access;
using Mooring.Mqtt.Broker.Connections;
using Mooring.Mqtt.Codec;

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
        if (broker.Accept(output, new ClientEntrance(listener, certificate)) is not { } accepted) return;
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
            await output.RoomAsync().ConfigureAwait(false);
        }
    }

    private static bool IsWhole(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[MqttFraming.MaximumHeaderBytes];
        header = header[..(int)Math.Min(header.Length, buffer.Length)];
        buffer.Slice(0, header.Length).CopyTo(header);
        return VariableByteInteger.TryRead(header[1..], out var remaining, out var lengthBytes) != VariableByteIntegerStatus.Done
            || buffer.Length >= 1 + lengthBytes + remaining;
    }

    private static long Process(BrokerConnection connection, in ReadOnlySequence<byte> buffer)
    {
        using var batch = FlushBatch.Begin();
        if (buffer.IsSingleSegment) return connection.OnReceived(buffer.First);
        // A packet that is not whole is not gathered again for each byte that arrives; its header is judged at once.
        var length = (int)Math.Min(buffer.Length, IsWhole(buffer) ? int.MaxValue : MqttFraming.MaximumHeaderBytes);
        var whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            buffer.Slice(0, length).CopyTo(whole);
            return connection.OnReceived(whole.AsMemory(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }
}
