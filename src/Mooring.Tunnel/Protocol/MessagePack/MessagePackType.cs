namespace Mooring.Tunnel.Protocol.MessagePack;

/// <summary>The families of MessagePack values, told apart by the first byte.</summary>
internal enum MessagePackType
{
    Nil,
    Boolean,
    Integer,
    Float,
    Text,
    Binary,
    Array,
    Map,
    Extension,
    Invalid,
}
