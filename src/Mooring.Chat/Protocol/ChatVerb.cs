namespace Mooring.Chat.Protocol;

/// <summary>First word of a line. Letters may be of any case.</summary>
internal enum ChatVerb
{
    Unknown,
    Hello,
    Join,
    New,
    Send,
    Tell,
    Pause,
    Resume,
    Leave,
    Quit,
    List,
    Who,
    History,
    Topic,
    Auth,
    Caps,
    Ping,
    Pong,
    Help,
    Kick,
    Ban,
    Unban,
    Mute,
    Unmute,
    Lock,
    Unlock,
    Password,
    Block,
    Unblock,

    /// <summary>Words of the server; from a client they say nothing, as in the classic server.</summary>
    Msg,
    From,
    Error,
}
