using System.Buffers;
using System.Runtime.Versioning;
using Mooring.Chat.Lines;
using Mooring.Chat.Rooms;
using Mooring.Kernel.Sockets;

namespace Mooring.Chat.Tcp;

/// <summary>
/// One accepted socket. It has no buffer of its own: what is sent comes straight out of the rooms' logs, and what is read goes through
/// the loop's buffer. Any thread may write; reading and closing belong to the loop's thread.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class TcpConnection(TcpLoop loop, int descriptor) : ISessionOutput
{
    private const int NoDescriptor = -1;

    private readonly Lock _gate = new();
    private int _descriptor = descriptor;
    private bool _wantsOutput;
    private bool _isReading = true;
    private byte[]? _rest;

    /// <summary>Set once, before the connection joins its loop.</summary>
    internal LineClient Client { get; set; } = null!;

    internal int Slot { get; set; }

    /// <summary>Timestamp at which a closing connection is cut; loop's thread only.</summary>
    internal long CloseDeadline { get; set; }

    /// <summary>Loop's thread only.</summary>
    internal bool IsOver { get; set; }

    /// <summary>Whether the peer has ended its sending side; loop's thread only.</summary>
    internal bool IsEnded { get; private set; }

    /// <summary>Received bytes that are not a whole line yet; loop's thread only.</summary>
    internal ReadOnlySpan<byte> Rest => _rest.AsSpan(0, RestLength);

    internal int RestLength { get; private set; }

    public int TryWrite(ReadOnlyMemory<byte> bytes)
    {
        var sent = 0;
        lock (_gate)
        {
            fixed (byte* start = bytes.Span)
            {
                while (sent < bytes.Length && _descriptor != NoDescriptor)
                {
                    var taken = LibC.Send(_descriptor, start + sent, bytes.Length - sent, LibC.DoNotWaitNoSignal);
                    if (taken >= 0) sent += (int)taken;
                    else if (LibC.LastError == LibC.ErrorTryAgain) return sent;
                    else if (LibC.LastError != LibC.ErrorInterrupted) break;
                }
            }
        }
        // Of a broken connection the loop learns from its next event.
        return bytes.Length;
    }

    public void ResumeWhenWritable()
    {
        lock (_gate)
        {
            _wantsOutput = true;
            Arm_NeedsLock();
        }
    }

    public void Finish()
    {
        lock (_gate)
        {
            if (_descriptor != NoDescriptor) _ = LibC.Shutdown(_descriptor, LibC.ShutdownWrite);
        }
        loop.PostClosing(this, TcpLimits.Linger);
    }

    public void Abort() => loop.PostClosing(this, TimeSpan.Zero);

    internal void Join(EpollSet set)
    {
        lock (_gate) set.Add(_descriptor, LibC.EventIn, (ulong)Slot);
    }

    /// <summary>See recv(2).</summary>
    internal nint Receive(byte* buffer, int length) => LibC.Receive(_descriptor, buffer, length, LibC.DoNotWaitNoSignal);

    internal void KeepRest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            ReturnRest();
            return;
        }
        if (_rest is null || _rest.Length < bytes.Length)
        {
            ReturnRest();
            _rest = ArrayPool<byte>.Shared.Rent(bytes.Length);
        }
        bytes.CopyTo(_rest);
        RestLength = bytes.Length;
    }

    /// <summary>There is room again in the socket.</summary>
    internal void OnWritable()
    {
        lock (_gate)
        {
            if (!_wantsOutput) return;
            _wantsOutput = false;
            Arm_NeedsLock();
        }
        Client.Session.Resume();
    }

    /// <summary>Stops or goes on reading.</summary>
    internal void Read(bool isReading)
    {
        lock (_gate)
        {
            if (_isReading == isReading || IsEnded) return;
            _isReading = isReading;
            Arm_NeedsLock();
        }
    }

    /// <summary>The peer has ended its sending side: nothing more is read.</summary>
    internal void End()
    {
        Read(false);
        IsEnded = true;
    }

    internal void Release()
    {
        lock (_gate)
        {
            if (_descriptor != NoDescriptor) _ = LibC.Close(_descriptor);
            _descriptor = NoDescriptor;
        }
        ReturnRest();
    }

    private void Arm_NeedsLock()
    {
        if (_descriptor != NoDescriptor) loop.Arm(_descriptor, (_isReading ? LibC.EventIn : 0) | (_wantsOutput ? LibC.EventOut : 0), Slot);
    }

    private void ReturnRest()
    {
        if (_rest is not null) ArrayPool<byte>.Shared.Return(_rest);
        _rest = null;
        RestLength = 0;
    }
}
