namespace Mooring.SocketIO.Connections;

/// <summary>One call that waits: for its acknowledgement, its time-out, its caller's patience or the end of the connection.</summary>
internal sealed class PendingCall(PendingCalls calls, long id)
    : TaskCompletionSource<SocketIOReply>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private ITimer? _timer;
    private CancellationTokenRegistration _cancellation;
    private TimeSpan _timeout;

    public long Id { get; } = id;

    public void Watch(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        _timeout = timeout;
        if (timeout != Timeout.InfiniteTimeSpan)
            _timer = time.CreateTimer(static state => ((PendingCall)state!).TimeOut(), this, timeout, Timeout.InfiniteTimeSpan);
        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(
                static (state, token) => ((PendingCall)state!).Cancel(token), this);
    }

    public void Succeed(SocketIOReply reply)
    {
        TrySetResult(reply);
        Release();
    }

    public void Fail(Exception error)
    {
        TrySetException(error);
        Release();
    }

    private void TimeOut()
    {
        if (calls.Take(Id) is null) return;
        Fail(new SocketIOCallException(SocketIOCallError.TimedOut, $"no acknowledgement in {_timeout.TotalSeconds:0.###} s"));
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        if (calls.Take(Id) is null) return;
        TrySetCanceled(cancellationToken);
        Release();
    }

    private void Release()
    {
        _timer?.Dispose();
        _cancellation.Unregister();
    }
}
