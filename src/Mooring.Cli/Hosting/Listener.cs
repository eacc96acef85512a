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
        var lines = listeners.Where(listener => listener.EndPoint.Port != 0).Select(listener => listener.Problem()).OfType<ListenerProblem>()
            .Select(problem => $"{problem.What}{(problem.Advice.Length == 0 ? "" : $"; {problem.Advice}")}").ToList();
        if (lines.Count > 0) throw new UserErrorException(lines);
    }

    /// <summary>Why the address cannot be had now; null when it can.</summary>
    internal ListenerProblem? Problem()
    {
        using var probe = new Socket(EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        // As Kestrel does: a port whose last connections still linger in TIME_WAIT is free.
        probe.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        try
        {
            probe.Bind(EndPoint);
            probe.Listen(1);
            return null;
        }
        catch (SocketException exception)
        {
            return Describe(exception.SocketErrorCode);
        }
    }

    private ListenerProblem Describe(SocketError error)
    {
        var what = $"{EndPoint} ({Purpose})";
        return error switch
        {
            SocketError.AddressAlreadyInUse => new ListenerProblem($"{what} is in use by another process", $"choose another port with {Option}", IsTaken: true),
            SocketError.AccessDenied => new ListenerProblem($"{what} may not be opened by this user", $"ports below 1024 need a privilege, {Option} chooses another"),
            SocketError.AddressNotAvailable => new ListenerProblem($"{what} is not an address of this machine", ""),
            _ => new ListenerProblem($"{what} cannot be opened: {error}", ""),
        };
    }
}

/// <summary>Why an address cannot be had.</summary>
/// <param name="What">What is wrong.</param>
/// <param name="Advice">What to do; may be empty.</param>
/// <param name="IsTaken">Whether somebody listens there.</param>
internal sealed record ListenerProblem(string What, string Advice, bool IsTaken = false);
