namespace Mooring.Tunnel.Protocol.GenerationB;

/// <summary>Field "fin" of a StreamData.</summary>
internal enum DataFraming : byte
{
    /// <summary>No field: a chunk of a body, or a unit that is complete by itself.</summary>
    Plain = 0,

    /// <summary>False: more frames of this message follow.</summary>
    More = 1,

    /// <summary>True: last frame of a message, of a request body, or a response head.</summary>
    Last = 2,
}
