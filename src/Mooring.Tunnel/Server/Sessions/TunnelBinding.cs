using System.Text;
using Mooring.Tunnel.Server.Accounts;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>A public name or port, bound to a session.</summary>
internal sealed class TunnelBinding(ServerSession session, string name, string url, DateTimeOffset created)
{
    private long _bytesIn;
    private long _bytesOut;
    private long _requests;

    public ServerSession Session => session;

    public Account Account => session.Account;

    /// <summary>Label, "tcp-PORT", or a custom host name.</summary>
    public string Name => name;

    public byte[] NameUtf8 { get; } = Encoding.UTF8.GetBytes(name);

    public string Url => url;

    public DateTimeOffset Created => created;

    /// <summary>Operators were told of it.</summary>
    public bool IsAnnounced { get; set; }

    /// <summary>Host name of the account's own; null for a label of the base domain.</summary>
    public string? Hostname { get; init; }

    /// <summary>"user:password" that visitors must give.</summary>
    public string? Auth { get; init; }

    /// <summary>Public port of a TCP tunnel; 0 for HTTP.</summary>
    public int Port { get; init; }

    public string Protocol => Port > 0 ? "tcp" : "http";

    /// <summary>Payload bytes from visitors.</summary>
    public long BytesIn => Volatile.Read(ref _bytesIn);

    /// <summary>Payload bytes to visitors.</summary>
    public long BytesOut => Volatile.Read(ref _bytesOut);

    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Counts bytes from a visitor; how many of them the account may still carry today.</summary>
    public int TakeIn(int bytes) => Take(ref _bytesIn, bytes);

    /// <summary>Counts bytes to a visitor; how many of them the account may still carry today.</summary>
    public int TakeOut(int bytes) => Take(ref _bytesOut, bytes);

    public void CountRequest() => Interlocked.Increment(ref _requests);

    private int Take(ref long counter, int bytes)
    {
        var taken = session.Usage.Take(bytes);
        Interlocked.Add(ref counter, taken);
        return taken;
    }
}
