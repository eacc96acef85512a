using System.Net;
using System.Net.Sockets;

namespace Mooring.Testing;

/// <summary>Finds a port of 127.0.0.1 for a foreign program that cannot bind port 0 and tell which it got.</summary>
public static class FreePort
{
    public static int Next()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
