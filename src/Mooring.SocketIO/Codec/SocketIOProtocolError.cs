namespace Mooring.SocketIO.Codec;

/// <summary>What is wrong with bytes that a peer sent.</summary>
public enum SocketIOProtocolError
{
    /// <summary>A packet without a single character, where one must be.</summary>
    EmptyPacket,

    /// <summary>The first character names no packet type.</summary>
    UnknownType,

    /// <summary>A packet of this type cannot come at this place.</summary>
    UnexpectedPacket,

    /// <summary>A text that is not UTF-8, or a binary part that is not Base64.</summary>
    BadEncoding,

    /// <summary>The namespace is too long or contains control characters.</summary>
    BadNamespace,

    /// <summary>The acknowledgement id is not a whole number of at most 2^53 - 1 without leading zeros.</summary>
    BadId,

    /// <summary>The payload is not the JSON that this type of packet carries.</summary>
    BadPayload,

    /// <summary>An event without a name, or with a name that the protocol keeps for itself.</summary>
    BadEventName,

    /// <summary>The number of attachments is missing, not a number, or not what followed.</summary>
    BadAttachments,

    /// <summary>More bytes, packets, arguments or attachments than the limits allow.</summary>
    OverLimit,
}
