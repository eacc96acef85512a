using Mooring.Kernel.Options;

namespace Mooring.SocketIO;

/// <summary>What one peer may make this end hold, and how many things it may keep it busy with.</summary>
public sealed record SocketIOLimits
{
    /// <summary>
    /// Largest polling body or WebSocket message taken, and all attachments of one packet together. Default 1,000,000, as other servers
    /// have it; a server announces it to its clients. Raise it where trusted peers send files inside events.
    /// </summary>
    public int PayloadBytesMax { get; init; } = 1_000_000;

    /// <summary>
    /// Bytes that may wait for one slow peer; then senders wait, and broadcasts close the peer. One packet always fits into an empty
    /// queue, whatever its size. Default 4 MiB: seconds of a slow mobile link.
    /// </summary>
    public int OutboxBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Packets that may wait for one slow peer, as for the bytes. Default 8,192.</summary>
    public int OutboxPacketsMax { get; init; } = 8_192;

    /// <summary>
    /// Handlers of one connection's namespace that may run at the same time. When all do, nothing more is read from the peer until one has
    /// ended. Default 64.
    /// </summary>
    public int HandlersMax { get; init; } = 64;

    /// <summary>Calls to one peer that may wait for their acknowledgement. Default 1,024.</summary>
    public int CallsMax { get; init; } = 1_024;

    /// <summary>Namespaces that one connection may be in. Default 16.</summary>
    public int NamespacesMax { get; init; } = 16;

    internal void Validate(string key, OptionsErrors errors)
    {
        errors.RequireInRange(key + ".payloadBytesMax", PayloadBytesMax, 1_024, 1_000_000_000);
        errors.RequireInRange(key + ".outboxBytesMax", OutboxBytesMax, 1_024, 1_000_000_000);
        errors.RequireInRange(key + ".outboxPacketsMax", OutboxPacketsMax, 16, 1_000_000);
        errors.RequireInRange(key + ".handlersMax", HandlersMax, 1, 10_000);
        errors.RequireInRange(key + ".callsMax", CallsMax, 1, 1_000_000);
        errors.RequireInRange(key + ".namespacesMax", NamespacesMax, 1, 1_000);
    }
}
