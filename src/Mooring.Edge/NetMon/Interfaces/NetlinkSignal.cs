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
        if (isBound) return;
        _socket.Dispose();
        throw new IOException($"the netlink socket cannot be bound: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Waits for the next change.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[8 * 1024];
        try
        {
            await _socket.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            // More changes than the kernel could keep.
        }
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
