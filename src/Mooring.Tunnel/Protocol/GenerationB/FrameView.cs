using System.Text;

namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>
/// A frame as it lies in its WebSocket message: texts and binaries are slices of it, so a view lives no longer than the buffer.
/// Fields that the frame does not have are empty, zero or null. Made by <see cref="FrameReader"/>.
/// </summary>
internal ref struct FrameView
{
    public FrameKind Kind;

    /// <summary>All frames named Stream…</summary>
    public long StreamId;

    /// <summary>StreamData: the bytes. StreamOpen: the whole body (version 1; empty since).</summary>
    public ReadOnlySpan<byte> Bytes;

    /// <summary>StreamData.</summary>
    public DataKind DataKind;

    /// <summary>StreamData.</summary>
    public DataFraming Framing;

    /// <summary>StreamData ("half"): nothing follows from the sender on this stream.</summary>
    public bool IsEnd;

    /// <summary>StreamData ("win"): bytes of credit that the sender of this frame gives back.</summary>
    public long Credit;

    /// <summary>StreamOpen: which tunnel.</summary>
    public ReadOnlySpan<byte> TunnelId;

    /// <summary>StreamOpen.</summary>
    public StreamMode Mode;

    /// <summary>StreamOpen: the request target exactly as the visitor sent it. TunnelCreate, TunnelCreated: the path asked for or given.</summary>
    public ReadOnlySpan<byte> Path;

    /// <summary>TunnelCreate: whether there is a path; an empty one asks for a name chosen by the server.</summary>
    public bool HasPath;

    /// <summary>StreamOpen: the verb (version 1 has it among the headers, see <see cref="HeaderReader.IsVerb"/>).</summary>
    public ReadOnlySpan<byte> Method;

    /// <summary>StreamOpen: the fields, encoded; walk them with <see cref="HeaderReader"/>.</summary>
    public ReadOnlySpan<byte> Headers;

    /// <summary>StreamOpen: the body follows as StreamData.</summary>
    public bool HasBody;

    /// <summary>StreamOpen ("win"): bytes that each direction may send before credit comes back; 0 when not given.</summary>
    public long Window;

    /// <summary>StreamOpen ("meta"): address of the visitor as ip:port.</summary>
    public ReadOnlySpan<byte> ClientAddress;

    /// <summary>StreamOpen ("meta"): the visitor came over TLS.</summary>
    public bool IsTls;

    /// <summary>StreamOpen ("meta").</summary>
    public ReadOnlySpan<byte> RequestId;

    /// <summary>StreamOpen ("meta"): the server waits this long for the response head, in milliseconds; 0 when not given.</summary>
    public long DeadlineMilliseconds;

    /// <summary>Auth.</summary>
    public ReadOnlySpan<byte> Token;

    /// <summary>Auth, HeartbeatAck: highest version of the sender; 1 when it is missing or no sensible number.</summary>
    public int Version;

    /// <summary>HeartbeatAck: the field was there, so this is the answer to Auth.</summary>
    public bool HasVersion;

    /// <summary>Auth, HeartbeatAck.</summary>
    public Capabilities Capabilities;

    /// <summary>TunnelCreate: "http" or "tcp".</summary>
    public ReadOnlySpan<byte> Protocol;

    /// <summary>TunnelCreate, TunnelCreated.</summary>
    public ReadOnlySpan<byte> Subdomain;

    /// <summary>TunnelCreate: a host name of the account.</summary>
    public ReadOnlySpan<byte> Hostname;

    /// <summary>TunnelCreate, TunnelCreated: public TCP port, 0 for any.</summary>
    public int RemotePort;

    /// <summary>TunnelCreate (version 3): "user:password" that the server shall demand of visitors.</summary>
    public ReadOnlySpan<byte> Auth;

    /// <summary>TunnelCreated (version 3): the server demands the password, the client need not.</summary>
    public bool IsAuthEnforced;

    /// <summary>TunnelCreated.</summary>
    public ReadOnlySpan<byte> Url;

    /// <summary>Error.</summary>
    public ReadOnlySpan<byte> Code;

    /// <summary>StreamClose: close code of a WebSocket, 0 when not given.</summary>
    public int CloseCode;

    /// <summary>Error.</summary>
    public ReadOnlySpan<byte> Message;

    /// <summary>StreamClose, StreamReset.</summary>
    public ReadOnlySpan<byte> Reason;

    /// <summary>A slice as text.</summary>
    public static string Text(ReadOnlySpan<byte> utf8) => utf8.IsEmpty ? "" : Encoding.UTF8.GetString(utf8);
}
