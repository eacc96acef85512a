using System.Net;
using System.Net.Sockets;

namespace Mooring.Cli.Hosting;

/// <summary>An address that this process is about to listen on, with the words that a user knows it by.</summary>
/// <param name="Purpose">What is served there, for example "MQTT".</param>
/// <param name="EndPoint">Address and port; port 0 lets the system choose.</param>
/// <param name="Option">The option that changes the port, for example "--mqtt-port".</param>
internal sealed record Listener(string Purpose, IPEndPoint EndPoint, string Option)
{
    /// <summary>Tries every listener and reports all that cannot be had, so that one start shows all conflicts.</summary>
    /// <exception cref="UserErrorException">At least one address is taken or not allowed.</exception>
    internal static void EnsureFree(IEnumerable<Listener> listeners)
    {
        var lines = new List<string>();
        foreach (var listener in listeners.Where(listener => listener.EndPoint.Port != 0))
        {
            using var probe = new Socket(listener.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(listener.EndPoint);
                probe.Listen(1);
            }
            catch (SocketException exception)
            {
                lines.Add(Describe(listener, exception.SocketErrorCode));
            }
        }

        if (lines.Count > 0)
        {
            throw new UserErrorException(lines);
        }
    }

    private static string Describe(Listener listener, SocketError error)
    {
        var what = $"{listener.EndPoint} ({listener.Purpose})";
        return error switch
        {
            SocketError.AddressAlreadyInUse => $"{what} is in use by another process; choose another port with {listener.Option}",
            SocketError.AccessDenied => $"{what} may not be opened by this user; ports below 1024 need a privilege, {listener.Option} chooses another",
            SocketError.AddressNotAvailable => $"{what} is not an address of this machine",
            _ => $"{what} cannot be opened: {error}",
        };
    }
}
