using Mooring.Mqtt.Broker.Connections;

namespace Mooring.Mqtt.Broker.Sessions;

/// <summary>
/// Brings retained messages to new subscriptions with wildcards, on one thread of the pool at a time, in turns: a step for each session
/// that waits. It runs only while some do.
/// </summary>
internal sealed class RetainedPump(MqttBroker broker)
{
    /// <summary>Pause when every client that waits has to take something first.</summary>
    private static readonly TimeSpan FullPause = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly HashSet<Session> _sessions = [];
    private bool _isRunning;

    internal void Add(Session session)
    {
        lock (_gate)
        {
            if (!_sessions.Add(session) || _isRunning)
            {
                return;
            }

            _isRunning = true;
        }

        _ = Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        while (Take() is { } sessions)
        {
            var hasMoved = false;
            foreach (var session in sessions)
            {
                var progress = Step(session);
                hasMoved |= progress == RetainedProgress.Made;
                if (progress != RetainedProgress.Idle)
                {
                    lock (_gate) _sessions.Add(session);
                }
            }

            if (!hasMoved)
            {
                await Task.Delay(FullPause, broker.Time).ConfigureAwait(false);
            }
        }
    }

    private RetainedProgress Step(Session session)
    {
        using var batch = FlushBatch.Begin();
        return session.StepRetained(broker.Now);
    }

    /// <summary>All that wait now; null ends the run.</summary>
    private Session[]? Take()
    {
        lock (_gate)
        {
            if (_sessions.Count == 0)
            {
                _isRunning = false;
                return null;
            }

            Session[] taken = [.. _sessions];
            _sessions.Clear();
            return taken;
        }
    }
}
