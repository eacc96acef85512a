using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Mooring.Kernel.Sockets;

namespace Mooring.Bench.Mqtt;

/// <summary>One connection of the generator: a non-blocking socket, what could not be sent yet and the start of a cut packet.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class LoadConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly int _descriptor;
    private byte[] _out = [];
    private int _outStart;
    private int _outEnd;

    internal LoadConnection(int index, IPEndPoint server)
    {
        Index = index;
        _socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(server);
        _socket.Blocking = false;
        // Thousands of connections are closed at once: a reset leaves no TIME_WAIT that would use up the local ports.
        _socket.LingerState = new LingerOption(true, 0);
        _descriptor = (int)_socket.Handle;
    }

    internal int Index { get; }

    internal int Descriptor => _descriptor;

    /// <summary>Number of this connection in its scenario: publisher 0..n-1 or subscriber 0..m-1.</summary>
    internal int Role { get; set; }

    internal bool IsConnected { get; set; }

    internal bool IsSubscribed { get; set; }

    internal bool IsArmedForOutput { get; set; }

    /// <summary>The beginning of a packet whose end has not arrived.</summary>
    internal byte[] Rest { get; set; } = [];

    internal bool HasOutput => _outEnd > _outStart;

    /// <summary>Space for <paramref name="length"/> bytes at the end of the output.</summary>
    internal Span<byte> Append(int length)
    {
        if (_out.Length - _outEnd < length) MakeRoom(length);
        var space = _out.AsSpan(_outEnd, length);
        _outEnd += length;
        return space;
    }

    /// <summary>Sends what is queued; false when the socket would block.</summary>
    internal bool Flush()
    {
        while (HasOutput)
        {
            nint sent;
            fixed (byte* bytes = _out)
                sent = LibC.Send(_descriptor, bytes + _outStart, _outEnd - _outStart, LibC.DoNotWaitNoSignal);
            if (sent >= 0)
            {
                _outStart += (int)sent;
                continue;
            }
            var error = LibC.LastError;
            if (error == LibC.ErrorInterrupted) continue;
            if (error == LibC.ErrorTryAgain) return false;
            throw new MooringBenchException($"The server closed connection {Index} (error {error} on send).");
        }
        _outStart = _outEnd = 0;
        return true;
    }

    public void Dispose() => _socket.Dispose();

    private void MakeRoom(int length)
    {
        var queued = _outEnd - _outStart;
        var target = _out;
        if (queued + length > _out.Length)
            target = new byte[Math.Max(256, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(queued + length)))];
        Buffer.BlockCopy(_out, _outStart, target, 0, queued);
        _out = target;
        _outStart = 0;
        _outEnd = queued;
    }
}
