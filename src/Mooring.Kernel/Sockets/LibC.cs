using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Mooring.Kernel.Sockets;

/// <summary>The few calls of Linux that the runtime does not offer: readiness, and reads and sends without an object per socket.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe partial class LibC
{
    internal const int EpollCloseOnExec = 0x80000;
    internal const int EpollAdd = 1;
    internal const int EpollDelete = 2;
    internal const int EpollModify = 3;

    internal const uint EventIn = 0x001;
    internal const uint EventOut = 0x004;
    internal const uint EventError = 0x008;
    internal const uint EventHangUp = 0x010;
    internal const uint EventPeerClosed = 0x2000;

    /// <summary>Stack space for an IPv4 or IPv6 address (struct sockaddr_in6 has 28 bytes).</summary>
    internal const int AddressBytes = 32;

    internal const int NonBlockingCloseOnExec = 0x80800;
    internal const int DoNotWaitNoSignal = 0x4040;
    internal const int ShutdownWrite = 1;

    internal const int ErrorInterrupted = 4;
    internal const int ErrorTryAgain = 11;
    internal const int ErrorTooManyInSystem = 23;
    internal const int ErrorTooManyInProcess = 24;
    internal const int ErrorAborted = 103;
    internal const int ErrorNoBuffers = 105;
    internal const int ErrorNoMemory = 12;

    private const int LevelTcp = 6;
    private const int TcpNoDelay = 1;
    private const int ClockMonotonic = 1;

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EpollControl(int epoll, int operation, int descriptor, byte* item);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, byte* events, int maximum, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    internal static partial int EventDescriptor(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    internal static partial int Accept(int listener, byte* address, int* length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    internal static partial nint Receive(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    internal static partial int Shutdown(int socket, int how);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetSocketOption(int socket, int level, int name, int* value, int length);

    [LibraryImport("libc", EntryPoint = "timerfd_create", SetLastError = true)]
    private static partial int TimerCreate(int clock, int flags);

    [LibraryImport("libc", EntryPoint = "timerfd_settime", SetLastError = true)]
    private static partial int TimerSet(int timer, int flags, long* specification, long* old);

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetResourceLimit(int resource, ulong* limits);

    /// <summary>Descriptors that this process may have open.</summary>
    internal static int DescriptorLimit()
    {
        const int openFiles = 7;
        var limits = stackalloc ulong[2];
        return GetResourceLimit(openFiles, limits) < 0 ? int.MaxValue : (int)Math.Min(limits[0], int.MaxValue);
    }

    internal static int LastError => Marshal.GetLastPInvokeError();

    internal static void SetNoDelay(int socket)
    {
        var on = 1;
        _ = SetSocketOption(socket, LevelTcp, TcpNoDelay, &on, sizeof(int));
    }

    /// <summary>A descriptor that becomes readable every <paramref name="period"/>.</summary>
    internal static int PeriodicTimer(TimeSpan period)
    {
        var timer = TimerCreate(ClockMonotonic, NonBlockingCloseOnExec);
        if (timer < 0) throw Failure("timerfd_create");
        var seconds = (long)period.TotalSeconds;
        var nanoseconds = period.Ticks % TimeSpan.TicksPerSecond * 100;
        var specification = stackalloc long[] { seconds, nanoseconds, seconds, nanoseconds };
        if (TimerSet(timer, 0, specification, null) < 0) throw Failure("timerfd_settime");
        return timer;
    }

    internal static IOException Failure(string call) => new($"{call} failed with error {LastError}.");
}
