using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Mooring.Edge.NetMon.Interfaces;
using Mooring.Edge.NetMon.Serial;
using Mooring.Edge.Protocol.Monitor;

namespace Mooring.Edge.NetMon.Clients;

/// <summary>The Unix socket on which agents are told events and send commands.</summary>
internal sealed partial class MonitorServer(
    NetMonOptions options, InterfaceWatch interfaces, SerialWatch serial, MonitorCommands commands, ILogger<MonitorServer> logger)
{
    private readonly Lock _gate = new();
    private readonly HashSet<MonitorClient> _clients = [];

    /// <summary>How many are connected.</summary>
    public int ClientCount
    {
        get
        {
            lock (_gate) return _clients.Count;
        }
    }

    /// <summary>Listens; what stood at the path is replaced.</summary>
    /// <exception cref="IOException">the path cannot be used</exception>
    public Socket Listen()
    {
        var path = options.EffectiveSocket;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        // Owner and group only: who can speak here can move interfaces.
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        socket.Listen(NetMonLimits.Clients);
        return socket;
    }

    /// <summary>Serves agents until cancelled.</summary>
    public async Task RunAsync(Socket listener, CancellationToken cancellationToken)
    {
        var serving = new HashSet<Task>();
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(cancellationToken).ConfigureAwait(false);
                serving.RemoveWhere(task => task.IsCompleted);
                if (ClientCount < NetMonLimits.Clients) serving.Add(ServeAsync(socket, cancellationToken));
                else socket.Dispose();
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving).ConfigureAwait(false);
        }
        finally
        {
            listener.Dispose();
            File.Delete(options.EffectiveSocket);
        }
    }

    /// <summary>Tells every agent something.</summary>
    public void Tell(MonitorEvent told)
    {
        lock (_gate)
            foreach (var client in _clients) client.Tell(told);
    }

    private async Task ServeAsync(Socket socket, CancellationToken cancellationToken)
    {
        using var client = new MonitorClient(socket, commands);
        // First what there is, then what changes: told under one lock, so that nothing comes in between.
        lock (_gate)
        {
            client.Tell(MonitorJson.Event(MonitorEvent.NetworkDiscovery, interfaces.Discover(), MonitorJson.Default.InterfaceList));
            client.Tell(MonitorJson.Event(MonitorEvent.DeviceDiscovery, serial.Discover(), MonitorJson.Default.SerialDeviceList));
            _clients.Add(client);
        }
        try
        {
            await client.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException or OperationCanceledException)
        {
            if (!cancellationToken.IsCancellationRequested) LogLost(logger, e.Message);
        }
        finally
        {
            lock (_gate) _clients.Remove(client);
        }
    }

    [LoggerMessage(7120, LogLevel.Warning, "the connection to an agent ended: {Reason}")]
    private static partial void LogLost(ILogger logger, string reason);
}
