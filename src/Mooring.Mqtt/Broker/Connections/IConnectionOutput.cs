using System.Net;

namespace Mooring.Mqtt.Broker.Connections;

/// <summary>The sending half of a transport's connection. Any thread may call; nothing blocks.</summary>
internal interface IConnectionOutput
{
    EndPoint? RemoteEndPoint { get; }

    /// <summary>Bytes that the peer has not taken yet.</summary>
    int UnsentBytes { get; }

    /// <summary>Bytes appended since the connection was made.</summary>
    long WrittenBytes { get; }

    /// <summary>Appends bytes, which are copied; they leave at the next flush.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>What is written from here on leaves only when <paramref name="gate"/> lets <paramref name="position"/> pass.</summary>
    void HoldUntil(IOutputGate gate, long position);

    /// <summary>The gate that said "later" is to be asked again.</summary>
    void OnPassage();

    /// <summary>Asks for a flush, at the end of this thread's turn if it has any: many requests of one turn become one send.</summary>
    void RequestFlush();

    /// <summary>Sends what is queued as far as the peer takes it.</summary>
    void Flush();

    /// <summary>Sends what is queued, then closes within the transport's deadline.</summary>
    void Close();

    /// <summary>
    /// Stops handing over input, or goes on, first with what was left over. Called while the connection handles input, or later to
    /// go on.
    /// </summary>
    void Pause(bool paused);
}
