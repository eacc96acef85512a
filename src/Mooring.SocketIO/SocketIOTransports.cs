namespace Mooring.SocketIO;

/// <summary>Ways to carry packets.</summary>
[Flags]
public enum SocketIOTransports
{
    /// <summary>Requests that the server keeps waiting until it has something to say. Passes every proxy.</summary>
    Polling = 1,

    /// <summary>A WebSocket.</summary>
    WebSocket = 2,

    /// <summary>Polling first, then a WebSocket as soon as one is proven to work.</summary>
    Both = Polling | WebSocket,
}
