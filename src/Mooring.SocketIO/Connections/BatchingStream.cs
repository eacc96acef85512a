using System.Buffers;

namespace Mooring.SocketIO.Connections;

/// <summary>
/// Lies between a WebSocket and the network. Reads ahead, so that small frames do not cost a read each; and while writes are held it
/// gathers them, so that a batch of frames costs one write. An idle connection holds no buffer.
/// </summary>
internal sealed class BatchingStream(Stream inner) : Stream
{
    private const int ReadBytes = 16 * 1024;
    private const int WriteBytes = 64 * 1024;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private byte[] _read = [];
    private int _readStart;
    private int _readEnd;
    private byte[] _written = [];
    private int _writtenBytes;
    private bool _holds;
    private long _progress;

    /// <summary>Grows whenever the peer sends or takes something.</summary>
    public long Progress => Interlocked.Read(ref _progress);

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Gathers writes until <see cref="ReleaseAsync"/>.</summary>
    public void Hold() => Volatile.Write(ref _holds, true);

    /// <summary>Writes what was gathered.</summary>
    public async ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _holds, false);
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await WriteGatheredAsync(cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (_writtenBytes + buffer.Length > WriteBytes) await WriteGatheredAsync(cancellationToken);
            if (buffer.Length > WriteBytes)
            {
                await WriteThroughAsync(buffer, cancellationToken);
                return;
            }
            if (_written.Length == 0) _written = ArrayPool<byte>.Shared.Rent(WriteBytes);
            buffer.CopyTo(_written.AsMemory(_writtenBytes));
            _writtenBytes += buffer.Length;
            if (!Volatile.Read(ref _holds)) await WriteGatheredAsync(cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_readStart == _readEnd) return ReadMoreAsync(buffer, cancellationToken);
        return ValueTask.FromResult(TakeRead(buffer));
    }

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        Volatile.Read(ref _holds) ? Task.CompletedTask : inner.FlushAsync(cancellationToken);

    public override void Flush()
    {
        if (!Volatile.Read(ref _holds)) inner.Flush();
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadMoreAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // Wait before renting: ten thousand idle connections hold no buffers.
        if (_read.Length > 0) ArrayPool<byte>.Shared.Return(_read);
        (_read, _readStart, _readEnd) = ([], 0, 0);
        _ = await inner.ReadAsync(Memory<byte>.Empty, cancellationToken);
        if (buffer.IsEmpty) return 0;
        var ahead = ArrayPool<byte>.Shared.Rent(ReadBytes);
        var count = await inner.ReadAsync(buffer.Length >= ahead.Length ? buffer : ahead, cancellationToken);
        Interlocked.Increment(ref _progress);
        if (buffer.Length >= ahead.Length)
        {
            ArrayPool<byte>.Shared.Return(ahead);
            return count;
        }
        (_read, _readStart, _readEnd) = (ahead, 0, count);
        return TakeRead(buffer);
    }

    private int TakeRead(Memory<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _readEnd - _readStart);
        _read.AsMemory(_readStart, count).CopyTo(buffer);
        _readStart += count;
        return count;
    }

    private async ValueTask WriteGatheredAsync(CancellationToken cancellationToken)
    {
        if (_writtenBytes > 0)
        {
            await WriteThroughAsync(_written.AsMemory(0, _writtenBytes), cancellationToken);
            await inner.FlushAsync(cancellationToken);
        }
        if (_written.Length > 0) ArrayPool<byte>.Shared.Return(_written);
        (_written, _writtenBytes) = ([], 0);
    }

    private async ValueTask WriteThroughAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var writing = inner.WriteAsync(bytes, cancellationToken);
        // Only a write that had to wait tells that the peer takes something; the others ended in a buffer on this side.
        var waited = !writing.IsCompleted;
        await writing;
        if (waited) Interlocked.Increment(ref _progress);
    }
}
