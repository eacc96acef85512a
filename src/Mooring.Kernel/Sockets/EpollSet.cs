using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Mooring.Kernel.Sockets;

/// <summary>One epoll descriptor with its event buffer; used by one thread, except <see cref="Wake"/>.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class EpollSet : IDisposable
{
    /// <summary>Key reported when <see cref="Wake"/> was called.</summary>
    internal const ulong WakeKey = ulong.MaxValue;

    // struct epoll_event is packed on x86-64 only.
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int ItemBytes = Packed ? 12 : 16;
    private static readonly int KeyOffset = Packed ? 4 : 8;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly int _capacity;
    private readonly byte* _events;
    private bool _disposed;

    internal EpollSet(int capacity)
    {
        _capacity = capacity;
        _epoll = LibC.EpollCreate(LibC.EpollCloseOnExec);
        if (_epoll < 0) throw LibC.Failure("epoll_create1");
        _wake = LibC.EventDescriptor(0, LibC.NonBlockingCloseOnExec);
        if (_wake < 0) throw LibC.Failure("eventfd");
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(capacity * ItemBytes));
        Add(_wake, LibC.EventIn, WakeKey);
    }

    internal void Add(int descriptor, uint events, ulong key) => Control(LibC.EpollAdd, descriptor, events, key);

    internal void Modify(int descriptor, uint events, ulong key) => Control(LibC.EpollModify, descriptor, events, key);

    internal void Remove(int descriptor) => _ = LibC.EpollControl(_epoll, LibC.EpollDelete, descriptor, null);

    /// <summary>Number of ready descriptors; 0 on time-out or interruption by a signal.</summary>
    internal int Wait(int timeoutMilliseconds)
    {
        var count = LibC.EpollWait(_epoll, _events, _capacity, timeoutMilliseconds);
        if (count >= 0) return count;
        return LibC.LastError == LibC.ErrorInterrupted ? 0 : throw LibC.Failure("epoll_wait");
    }

    internal ulong Key(int index) => Unsafe.ReadUnaligned<ulong>(_events + index * ItemBytes + KeyOffset);

    internal uint Events(int index) => Unsafe.ReadUnaligned<uint>(_events + index * ItemBytes);

    /// <summary>Makes a waiting <see cref="Wait"/> return. Any thread may call it until the set is disposed.</summary>
    internal void Wake()
    {
        var one = 1UL;
        _ = LibC.Write(_wake, (byte*)&one, sizeof(ulong));
    }

    /// <summary>Takes back the wake-ups so far; call it on <see cref="WakeKey"/>, before looking at what woke.</summary>
    internal void ClearWake()
    {
        ulong value;
        _ = LibC.Read(_wake, (byte*)&value, sizeof(ulong));
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _ = LibC.Close(_wake);
        _ = LibC.Close(_epoll);
        NativeMemory.Free(_events);
    }

    private void Control(int operation, int descriptor, uint events, ulong key)
    {
        var item = stackalloc byte[16];
        Unsafe.WriteUnaligned(item, events);
        Unsafe.WriteUnaligned(item + KeyOffset, key);
        if (LibC.EpollControl(_epoll, operation, descriptor, item) < 0) throw LibC.Failure("epoll_ctl");
    }
}
