using System.Buffers;
using System.Net.Sockets;

namespace Mooring.Tunnel.Client.Origin;

/// <summary>One connection to the application with what was read from it and not yet used.</summary>
internal sealed class OriginConnection(Stream stream) : IDisposable
{
    /// <summary>A small answer fits; a long body makes the buffer grow to <see cref="BufferBytesMax"/>.</summary>
    private const int BufferBytes = 8 * 1024;

    /// <summary>One chunk of the wire, and room for the head before it.</summary>
    private const int BufferBytesMax = 128 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _start;
    private int _end;
    private int _disposed;

    /// <summary>Requests that it has served.</summary>
    public int Uses { get; set; }

    /// <summary>When it became idle.</summary>
    public long Returned { get; set; }

    public Stream Stream => stream;

    public ReadOnlyMemory<byte> Unread => _buffer.AsMemory(_start, _end - _start);

    public bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>Open, as far as is known, with nothing left of an answer.</summary>
    public bool IsClean => !IsDisposed && _end == _start;

    public void Use(int count) => _start += count;

    /// <summary>Reads more; false at the end.</summary>
    public async ValueTask<bool> FillAsync()
    {
        MakeRoom();
        var count = await stream.ReadAsync(_buffer.AsMemory(_end));
        _end += count;
        return count > 0;
    }

    /// <summary>An idle connection has nothing to say: a byte, or its end, means that it cannot be used again.</summary>
    public bool IsUsable()
    {
        if (!IsClean) return false;
        try
        {
            return stream is not NetworkStream { Socket: var socket } || !socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Closes; a read under way fails.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) stream.Dispose();
    }

    /// <summary>Closes with a reset, so that the application cannot take what it got for all there is.</summary>
    public void Cut()
    {
        try
        {
            if (stream is NetworkStream { Socket: var socket })
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                // Not the stream, which would shut down in good order first.
                socket.Dispose();
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Closed already.
        }
        Dispose();
    }

    /// <summary>Gives the buffer back; only the reader may, when it reads no more.</summary>
    public void Release()
    {
        Dispose();
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        (_start, _end) = (0, 0);
    }

    private void MakeRoom()
    {
        if (_start == _end)
        {
            // The last read filled it: a long body.
            if (_end == _buffer.Length && _buffer.Length < BufferBytesMax) Replace(BufferBytesMax);
            (_start, _end) = (0, 0);
            return;
        }
        if (_end < _buffer.Length) return;
        if (_start == 0)
        {
            if (_buffer.Length >= BufferBytesMax) throw new OriginException("the application's answer has a part that is too long");
            Replace(_buffer.Length * 2);
            return;
        }
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
    }

    private void Replace(int bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(bytes);
        _buffer.AsSpan(_start, _end - _start).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
        (_start, _end) = (0, _end - _start);
    }
}
