namespace Mooring.SocketIO.Connections;

/// <summary>Takes what a carrier has read: whole packets and binary messages, one after another. Disposes of them.</summary>
internal interface IFrameSink
{
    /// <summary>One Engine.IO packet with its type.</summary>
    ValueTask TextAsync(PooledFrame frame);

    /// <summary>One binary message.</summary>
    ValueTask BinaryAsync(PooledFrame frame);
}
