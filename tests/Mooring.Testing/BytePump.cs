using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Mooring.Testing;

/// <summary>
/// Carries bytes from a reader to a writer and applies faults on the way. The pump owns both ends and alone completes them,
/// so that a connection can be broken from any thread.
/// </summary>
internal sealed class BytePump(PipeReader source, PipeWriter sink, ByteFaults faults, Action cut)
{
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Exception? _reason;

    /// <summary>
    /// A pipe for the receiving end: a flush ends only when the reader has examined every byte. What passed before a cut is thus
    /// always seen before the cut, and pieces are seen one by one.
    /// </summary>
    public static Pipe ReceivingPipe() => new(new PipeOptions(pauseWriterThreshold: 1, resumeWriterThreshold: 1));

    public void Start() => _ = RunAsync();

    /// <summary>Ends the direction; the receiver sees <paramref name="reason"/> after what has already passed.</summary>
    public void Break(Exception reason)
    {
        Interlocked.CompareExchange(ref _reason, reason, null);
        _broken.TrySetResult();
        source.CancelPendingRead();
        sink.CancelPendingFlush();
    }

    private async Task RunAsync()
    {
        try
        {
            while (_reason is null && await CarryAsync())
            {
            }
            await CompleteAsync(_reason);
        }
        catch (Exception e)
        {
            // The sender completed its end with an error: the receiver is told the same.
            await CompleteAsync(e);
        }
    }

    private async Task CompleteAsync(Exception? reason)
    {
        await sink.CompleteAsync(reason);
        await source.CompleteAsync(reason);
    }

    private async Task<bool> CarryAsync()
    {
        var read = await source.ReadAsync();
        var rest = read.Buffer;
        try
        {
            while (rest.Length > 0 && _reason is null)
            {
                var (bytes, isCut, stall) = faults.Next((int)Math.Min(rest.Length, int.MaxValue));
                if (isCut)
                {
                    cut();
                    return false;
                }
                if (stall is not null)
                {
                    await Task.WhenAny(stall, _broken.Task);
                    continue;
                }
                var span = sink.GetSpan(bytes)[..bytes];
                rest.Slice(0, bytes).CopyTo(span);
                faults.Pass(span);
                sink.Advance(bytes);
                rest = rest.Slice(bytes);
                var flush = await sink.FlushAsync();
                if (flush.IsCompleted) return false;
            }
        }
        finally
        {
            source.AdvanceTo(rest.Start, rest.End);
        }
        // A cut after as many bytes as were sent must not wait for one byte more.
        if (_reason is null && faults.Next(1).Cut)
        {
            cut();
            return false;
        }
        return !read.IsCompleted;
    }

    internal static Exception Reset() => new ConnectionResetException("The connection was cut by the test.");
}
