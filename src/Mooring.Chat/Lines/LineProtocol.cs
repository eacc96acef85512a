using System.Net;
using Mooring.Chat.Protocol;
using Mooring.Chat.Rooms;

namespace Mooring.Chat.Lines;

/// <summary>The line protocol as it is configured; makes a client of every connection.</summary>
internal sealed class LineProtocol(ChatHub hub)
{
    private readonly Voice _voice = hub.Options.ClassicWireFormat ? SilentVoice.Instance : new LineVoice(hub.Options.CrLf ? "\r\n" : "\n");

    internal ChatHub Hub => hub;

    internal LineReplies Replies { get; } = hub.Options.ClassicWireFormat
        ? new ClassicReplies(hub)
        : new LineReplies(hub.Options.CrLf ? "\r\n" : "\n");

    internal bool IsClassic => hub.Options.ClassicWireFormat;

    /// <summary>A client for a new connection; when it may not come in, it has been told so and is closing.</summary>
    /// <param name="output">Where its bytes go.</param>
    /// <param name="remote">Where it comes from.</param>
    /// <param name="isEncrypted">Whether TLS is around it.</param>
    /// <param name="isProxied">Whether a load balancer's header comes first, which tells where it really comes from.</param>
    internal LineClient Accept(ISessionOutput output, IPAddress? remote, bool isEncrypted, bool isProxied = false)
    {
        var format = IsClassic ? MessageFormat.ClassicLine : hub.Options.CrLf ? MessageFormat.LineCrLf : MessageFormat.Line;
        var session = new Session(hub, SessionTransport.Tcp, format, _voice, output, remote?.ToString() ?? "")
        {
            IsEncrypted = isEncrypted,
        };
        var client = new LineClient(this, session, isProxied);
        var outcome = hub.TryOpen(session, isProxied);
        if (!outcome.IsDone) client.Refuse(outcome);
        return client;
    }
}
