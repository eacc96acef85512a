using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Mooring.Edge.NetMon.Vnics;

/// <summary>Asks a network whether somebody has an address already, from within a container (RFC 5227, 2.1.1).</summary>
/// <param name="time">Clock of the waits.</param>
internal sealed partial class ArpProbe(TimeProvider time)
{
    private const int Probes = 3;
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(200);

    // linux/socket.h, linux/if_ether.h, linux/sched.h
    private const int FamilyPacket = 17;
    private const int TypeRaw = 3;
    private const int CloseOnExec = 0x80000;
    private const int NewNetwork = 0x40000000;
    private const ushort ArpBigEndian = 0x0608;

    /// <summary>Asks.</summary>
    /// <param name="pid">A process of the container.</param>
    /// <param name="nic">The interface to ask on; it is up.</param>
    /// <param name="mac">Its hardware address.</param>
    /// <param name="address">The IPv4 address.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The hardware address of who has it; null when nobody answers.</returns>
    /// <exception cref="ProgramException">it cannot be asked</exception>
    public async Task<string?> WhoHasAsync(int pid, string nic, string mac, string address, CancellationToken cancellationToken)
    {
        var probe = ArpFrame.Probe(mac, address);
        using var socket = await OpenAsync(pid, nic).ConfigureAwait(false);
        for (var sent = 0; sent < Probes; sent++)
        {
            try
            {
                await socket.SendAsync(probe, cancellationToken).ConfigureAwait(false);
                if (await ListenAsync(socket, mac, address, cancellationToken).ConfigureAwait(false) is { } owner) return owner;
            }
            catch (SocketException e)
            {
                throw new ProgramException($"{nic}: it cannot be asked who has {address}: {e.Message}");
            }
        }
        return null;
    }

    private async Task<string?> ListenAsync(Socket socket, string mac, string address, CancellationToken cancellationToken)
    {
        var frame = new byte[ArpFrame.LengthMax];
        using var limit = new CancellationTokenSource(Wait, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            while (true)
            {
                var length = await socket.ReceiveAsync(frame, linked.Token).ConfigureAwait(false);
                if (ArpFrame.ClaimantOf(frame.AsSpan(0, length), mac, address) is { } owner) return owner;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    // A thread of its own, which ends in the container's network: what runs on it later must not find itself there.
    private static Task<Socket> OpenAsync(int pid, string nic)
    {
        var opened = new TaskCompletionSource<Socket>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                opened.SetResult(OpenInside(pid, nic));
            }
            catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
            {
                opened.SetException(new ProgramException($"{nic}: it cannot be asked who has an address: {e.Message}"));
            }
        })
        { IsBackground = true, Name = "arp probe" }.Start();
        return opened.Task;
    }

    private static Socket OpenInside(int pid, string nic)
    {
        using var network = File.OpenHandle(Programs.NetworkOf(pid));
        if (EnterNamespace((int)network.DangerousGetHandle(), NewNetwork) != 0) throw LastError("setns");
        var index = IndexOf(nic);
        if (index == 0) throw LastError("if_nametoindex");
        var handle = CreateSocket(FamilyPacket, TypeRaw | CloseOnExec, ArpBigEndian);
        if (handle < 0) throw LastError("socket");
        var socketHandle = new SafeSocketHandle(handle, ownsHandle: true);
        var address = new PacketAddress { Family = FamilyPacket, Protocol = ArpBigEndian, Index = index };
        if (Bind(handle, in address, Marshal.SizeOf<PacketAddress>()) == 0) return new Socket(socketHandle);
        var error = LastError("bind");
        socketHandle.Dispose();
        throw error;
    }

    private static IOException LastError(string call) => new($"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int EnterNamespace(int file, int kind);

    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int IndexOf(string nic);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int CreateSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(int socket, in PacketAddress address, int length);

    /// <summary>struct sockaddr_ll</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PacketAddress
    {
        public ushort Family;
        public ushort Protocol;
        public int Index;
        public ushort HardwareType;
        public byte PacketType;
        public byte AddressLength;
        public ulong Address;
    }
}
