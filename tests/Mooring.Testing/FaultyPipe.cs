using System.IO.Pipelines;

namespace Mooring.Testing;

/// <summary>A duplex pipe around another one whose bytes go wrong on command, at a byte, per direction.</summary>
public sealed class FaultyPipe : IDuplexPipe
{
    private readonly Pipe _incoming = BytePump.ReceivingPipe();
    private readonly Pipe _outgoing = new();
    private readonly BytePump _receive;
    private readonly BytePump _send;

    public FaultyPipe(IDuplexPipe inner, ByteFaults? incoming = null, ByteFaults? outgoing = null)
    {
        Incoming = incoming ?? new ByteFaults();
        Outgoing = outgoing ?? new ByteFaults();
        _receive = new BytePump(inner.Input, _incoming.Writer, Incoming, Cut);
        _send = new BytePump(_outgoing.Reader, inner.Output, Outgoing, Cut);
        _receive.Start();
        _send.Start();
    }

    public PipeReader Input => _incoming.Reader;

    public PipeWriter Output => _outgoing.Writer;

    /// <summary>Faults of the bytes that come from the inner pipe.</summary>
    public ByteFaults Incoming { get; }

    /// <summary>Faults of the bytes that go to the inner pipe.</summary>
    public ByteFaults Outgoing { get; }

    /// <summary>Breaks both directions now.</summary>
    public void Cut()
    {
        _receive.Break(BytePump.Reset());
        _send.Break(BytePump.Reset());
    }
}
