using System.Net;
using System.Net.Sockets;

namespace Mooring.Testing;

/// <summary>Finds a port of 127.0.0.1 for a foreign program that cannot bind port 0 and tell which it got.</summary>
public static class FreePort
{
    // Below the ports that the system gives to who asks for port 0, and beside the tunnels' 20000 to 20999.
    private const int First = 21_000;
    private const int Count = 11_000;

    private static int s_next = Environment.ProcessId * 97 % Count;

    /// <summary>A port that nobody listens on; the same process gets it only once.</summary>
    public static int Next()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + ((Interlocked.Increment(ref s_next) & int.MaxValue) % Count);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody's; the next one.
            }
        }
        throw new InvalidOperationException($"no port from {First} to {First + Count - 1} is free");
    }
}
