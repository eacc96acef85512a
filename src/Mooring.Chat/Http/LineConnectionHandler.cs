using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Mooring.Chat.Lines;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Http;

/// <summary>The line protocol inside of TLS, which the web server speaks.</summary>
internal sealed class LineConnectionHandler(ChatHub hub, LineProtocol protocol) : ConnectionHandler
{
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var output = new StreamOutput(connection.Transport.Output.AsStream(leaveOpen: true), connection.Abort);
        var client = protocol.Accept(output, (connection.RemoteEndPoint as IPEndPoint)?.Address, isEncrypted: true);
        output.Session = client.Session;
        client.Session.Account = hub.Access.Authenticate(connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate);
        hub.Outbox.Flush();
        try
        {
            await Task.WhenAny(ReadAsync(connection, client), output.Finished).ConfigureAwait(false);
            // What the peer still sends is taken off for a moment, so that our last words are not lost in a reset.
            if (client.Session.IsClosing) await output.Finished.WaitAsync(hub.Options.Limits.CloseTimeout, hub.Time).ConfigureAwait(false);
        }
        catch (Exception exception) when (StreamOutput.IsTransportFault(exception) || exception is TimeoutException)
        {
            // The peer went away; its rooms are told below.
        }
        finally
        {
            hub.Gone(client.Session);
            hub.Outbox.Flush();
        }
    }

    private async Task ReadAsync(ConnectionContext connection, LineClient client)
    {
        var input = connection.Transport.Input;
        try
        {
            while (!client.Session.IsClosing)
            {
                var result = await input.ReadAsync().ConfigureAwait(false);
                var consumed = result.Buffer.GetPosition(Handle(client, result.Buffer, result.IsCompleted));
                hub.Outbox.Flush();
                input.AdvanceTo(consumed, result.Buffer.End);
                if (result.IsCompleted || result.IsCanceled) return;
            }
        }
        catch (Exception exception) when (StreamOutput.IsTransportFault(exception))
        {
            // The peer went away without a word.
        }
    }

    private static long Handle(LineClient client, in ReadOnlySequence<byte> buffer, bool isEnd)
    {
        var length = checked((int)buffer.Length);
        var whole = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
        try
        {
            buffer.CopyTo(whole);
            var consumed = client.OnReceived(whole.AsSpan(0, length));
            if (isEnd) client.OnInputEnded(whole.AsSpan(consumed, length - consumed));
            return isEnd ? length : consumed;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }
}
