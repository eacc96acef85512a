using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Mooring.Edge.NetMon.Interfaces;

/// <summary>
/// Tells that something changed about links, addresses or routes; what it was is read anew from the system. So there is nothing to parse,
/// and a kernel that drops messages because they come too fast takes nothing away: that too is a change.
/// </summary>
internal sealed partial class NetlinkSignal : IDisposable
{
    // linux/socket.h, linux/netlink.h, linux/rtnetlink.h
    private const int FamilyNetlink = 16;
    private const int TypeRaw = 3;
    private const int CloseOnExec = 0x80000;
    private const int ProtocolRoute = 0;
    private const uint GroupLink = 0x1;
    private const uint GroupIpv4Address = 0x10;
    private const uint GroupIpv4Route = 0x40;

    // A storm must not keep its reader from acting on what has come.
    private const int DrainMax = 1_000;

    // Nothing in it is looked at: what does not fit is cut off by the kernel.
    private readonly byte[] _buffer = new byte[8 * 1024];
    private readonly Socket _socket;

    /// <summary>Begins to listen.</summary>
    /// <exception cref="IOException">the kernel refuses</exception>
    public NetlinkSignal()
    {
        var handle = CreateSocket(FamilyNetlink, TypeRaw | CloseOnExec, ProtocolRoute);
        if (handle < 0) throw new IOException($"no netlink socket: {Marshal.GetLastPInvokeErrorMessage()}");
        var address = new NetlinkAddress { Family = FamilyNetlink, Groups = GroupLink | GroupIpv4Address | GroupIpv4Route };
        var isBound = Bind(handle, in address, Marshal.SizeOf<NetlinkAddress>()) == 0;
        _socket = new Socket(new SafeSocketHandle(handle, ownsHandle: true));
        _socket.Blocking = false;
        if (isBound) return;
        _socket.Dispose();
        throw new IOException($"the netlink socket cannot be bound: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>How often there were more changes than the kernel could keep.</summary>
    public int Overruns { get; private set; }

    /// <summary>Waits for the next change, and takes with it what has come since: a thousand messages are one change.</summary>
    /// <exception cref="SocketException">nothing can be heard any more</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _socket.ReceiveAsync(_buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            Overruns++;
        }
        for (var taken = 0; taken < DrainMax; taken++)
            if (!TryTake()) return;
    }

    private bool TryTake()
    {
        _socket.Receive(_buffer, SocketFlags.None, out var error);
        if (error == SocketError.NoBufferSpaceAvailable) Overruns++;
        else if (error is not (SocketError.Success or SocketError.WouldBlock)) throw new SocketException((int)error);
        return error != SocketError.WouldBlock;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int CreateSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int socket, in NetlinkAddress address, int length);

    /// <summary>struct sockaddr_nl</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct NetlinkAddress
    {
        public ushort Family;
        public ushort Padding;
        public uint Port;
        public uint Groups;
    }
}
