namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>What a journal record says. Numbers are on disk: they are never reused.</summary>
internal enum RecordType : byte
{
    /// <summary>A message, once; others name it by its number.</summary>
    Message = 1,

    /// <summary>A session is written whole: everything up to <see cref="SessionEnd"/> replaces what was known of it.</summary>
    SessionBegin = 2,
    SessionEnd = 3,

    /// <summary>Expiry and end of a session have changed.</summary>
    SessionState = 4,
    SessionGone = 5,
    Subscribed = 6,
    Unsubscribed = 7,

    /// <summary>A message joined the end of a session's queue.</summary>
    Queued = 8,

    /// <summary>The head of the queue left it: sent with a packet id, or dropped with packet id 0.</summary>
    Dequeued = 9,

    /// <summary>A message was sent that had not waited.</summary>
    Sent = 10,

    /// <summary>PUBREC came: only PUBREL is repeated from here on.</summary>
    Released = 11,

    /// <summary>PUBACK or PUBCOMP came: the packet id is free.</summary>
    Done = 12,

    /// <summary>A QoS 2 message came in and is about to be routed.</summary>
    Received = 13,

    /// <summary>That message is in every session that gets it.</summary>
    Routed = 14,

    /// <summary>PUBREL came for it.</summary>
    Forgotten = 15,
    Retained = 16,
    RetainedGone = 17,
    Will = 18,
    WillGone = 19,

    /// <summary>From here to <see cref="CheckpointEnd"/> everything that lives is written anew.</summary>
    CheckpointBegin = 20,
    CheckpointEnd = 21,
}
