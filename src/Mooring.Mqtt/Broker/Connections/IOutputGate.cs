namespace Mooring.Mqtt.Broker.Connections;

/// <summary>Whether output that promises something may leave.</summary>
internal enum Passage
{
    /// <summary>What it promises is kept.</summary>
    Open,

    /// <summary>Not yet; <see cref="IConnectionOutput.OnPassage"/> will be called.</summary>
    Later,

    /// <summary>It could not be kept: the output must never leave, the connection is to be cut.</summary>
    Never,
}

/// <summary>What an acknowledgement waits for before it leaves.</summary>
internal interface IOutputGate
{
    /// <summary>Position up to which everything is kept.</summary>
    long Kept { get; }

    /// <summary>Asks for output that needs everything up to <paramref name="position"/> to be kept; may write it.</summary>
    Passage TryPass(long position, IConnectionOutput output);
}
