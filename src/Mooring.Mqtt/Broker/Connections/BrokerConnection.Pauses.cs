using Mooring.Mqtt.Broker.Sessions;

namespace Mooring.Mqtt.Broker.Connections;

/// <summary>When a connection is not read: reasons come and go on different threads, and it is read again when none is left.</summary>
internal sealed partial class BrokerConnection
{
    private volatile PauseReasons _pauses;
    private ICrowdedReceiver? _crowded;
    private long _heldUntil;
    private int _publishedThisSecond;

    /// <summary>A receiver of what was just published has nearly all the messages that it may keep.</summary>
    internal void Crowds(ICrowdedReceiver receiver) => _crowded = receiver;

    /// <summary>The receiver that this connection waits for has room again.</summary>
    internal void GoOn() => Resume(PauseReasons.Crowded);

    /// <summary>A client that sends more than its share, or anything while memory is short, is not read until the next second.</summary>
    private void Throttle()
    {
        if (broker.IsShortOfMemory || (_limits.MessagesPerSecond != 0 && ++_publishedThisSecond >= _limits.MessagesPerSecond))
        {
            Pause(PauseReasons.Throttled);
        }
    }

    private void HoldFor(ICrowdedReceiver receiver)
    {
        _crowded = null;
        // Paused first: the receiver may be through with its queue before this thread is.
        Pause(PauseReasons.Crowded);
        if (receiver.TryHold(this) is { } until)
        {
            Volatile.Write(ref _heldUntil, until);
        }
        else
        {
            Resume(PauseReasons.Crowded);
        }
    }

    private void TickPauses(long now)
    {
        _publishedThisSecond = 0;
        if (_pauses == PauseReasons.None) return;
        // Silence that the broker itself has asked for is no silence of the client.
        Volatile.Write(ref _lastReceived, now);
        Resume(PauseReasons.Throttled);
        if (now >= Volatile.Read(ref _heldUntil)) Resume(PauseReasons.Crowded);
    }

    private void Pause(PauseReasons reason)
    {
        lock (_gate)
        {
            _pauses |= reason;
            output.Pause(true);
        }
    }

    private void Resume(PauseReasons reason)
    {
        lock (_gate)
        {
            if ((_pauses & reason) == 0) return;
            _pauses &= ~reason;
            if (_pauses == PauseReasons.None) output.Pause(false);
        }
    }
}
