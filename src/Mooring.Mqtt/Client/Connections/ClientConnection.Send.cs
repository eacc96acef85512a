using System.Net.Sockets;
using Mooring.Kernel.Links;
using Mooring.Mqtt.Client.Sessions;

namespace Mooring.Mqtt.Client.Connections;

/// <summary>The sender: collects what there is, writes it at once, sleeps when there is nothing.</summary>
internal sealed partial class ClientConnection
{
    private async Task SendAsync()
    {
        using var output = new OutputBuffer();
        try
        {
            while (true)
            {
                if (_session.TryFill(this, output))
                {
                    await _transport.Stream.WriteAsync(output.Written, _aborted.Token).ConfigureAwait(false);
                    _keepAlive?.Sent();
                    output.Clear();
                }
                else if (IsClosing)
                {
                    return;
                }
                else
                {
                    await _wake.WaitAsync(_aborted.Token).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            End(LinkEnd.Retry($"cannot send: {e.Message}"));
        }
        catch (Exception e)
        {
            _log.Unexpected(_options.Server, e);
            End(LinkEnd.Retry($"cannot send: {e.Message}"));
        }
    }
}
