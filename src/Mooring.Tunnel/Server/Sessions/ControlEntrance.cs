using Microsoft.Extensions.Logging;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Accounts;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>
/// A control connection before its session: the first message tells the generation and holds the token. From then on the session receives.
/// </summary>
internal sealed partial class ControlEntrance(SessionContext context, SessionRegistry registry, WebSocketLink link, string remote) : ILinkReceiver
{
    /// <summary>An Auth is small; more than this is not one.</summary>
    private const int FirstMessageBytesMax = 16 * 1024;

    private ILinkReceiver? _session;
    private Func<Task>? _admit;

    public ServerSession? Session { get; private set; }

    void ILinkReceiver.OnMessage(ReadOnlySpan<byte> message)
    {
        if (_session is { } session)
        {
            session.OnMessage(message);
            return;
        }
        if (_admit is not null) throw new TunnelProtocolException(TunnelProtocolError.Malformed, "a message before the answer to the first");
        if (message.Length > FirstMessageBytesMax) throw new TunnelProtocolException(TunnelProtocolError.TooLarge, $"a first message of {message.Length} bytes");
        if (FrameReader.LooksLikeGenerationB(message)) ReadAuth(message);
        else _admit = LegacyEntrance.Read(message, this);
    }

    ValueTask ILinkReceiver.OnBatchEndAsync() =>
        _session is { } session ? session.OnBatchEndAsync() : _admit is { } admit ? new ValueTask(admit()) : ValueTask.CompletedTask;

    /// <summary>Looks a token up; null when it is not good. Counted and slowed down by address.</summary>
    public async Task<Account?> AuthenticateAsync(string token)
    {
        if (!registry.Failures.IsAllowed(remote)) return null;
        var started = context.Time.GetTimestamp();
        var account = await context.Accounts.AuthenticateAsync(token, link.Ended);
        context.Metrics.Authenticated(context.Time.GetElapsedTime(started));
        if (account is not null && account.Scopes.HasFlag(TokenScopes.Connect)) return account;
        var count = registry.Failures.Count(remote);
        context.Metrics.RefusedClient("token");
        if (int.IsPow2(count)) LogRefused(context.Logger, remote, TokenText.Masked(token), count);
        return null;
    }

    /// <summary>The session takes over.</summary>
    public void Become<T>(T session)
        where T : ServerSession, ILinkReceiver
    {
        Session = session;
        _session = session;
        registry.Add(session);
        LogConnected(context.Logger, session.Id, session.Account.Id, remote, session.Generation);
    }

    public SessionContext Context => context;

    public SessionRegistry Registry => registry;

    public WebSocketLink Link => link;

    public string Remote => remote;

    private void ReadAuth(ReadOnlySpan<byte> message)
    {
        var frame = FrameReader.Read(message);
        if (frame.Kind != FrameKind.Auth) throw new TunnelProtocolException(TunnelProtocolError.UnknownType, "the first message is no Auth");
        var (token, version, capabilities) = (FrameView.Text(frame.Token), frame.Version, frame.Capabilities);
        _admit = () => AdmitAsync(token, version, capabilities);
    }

    private async Task AdmitAsync(string token, int version, Capabilities capabilities)
    {
        var account = await AuthenticateAsync(token);
        if (account is null)
        {
            await RefuseAsync(token.Length == 0 ? ErrorCodes.AuthRequired : ErrorCodes.Unauthorized, "Invalid auth token");
            return;
        }
        if (!registry.HasRoomFor(remote))
        {
            context.Metrics.RefusedClient("address");
            await RefuseAsync(ErrorCodes.QuotaSessions, "too many connections from this address");
            return;
        }
        if (context.Usages.Of(account).Sessions >= account.Quota.Sessions)
        {
            await RefuseAsync(ErrorCodes.QuotaSessions, $"the account may have {account.Quota.Sessions} connections");
            return;
        }
        var session = new StreamSession(Identifier.NextSession(context.Time.GetUtcNow()), account, link, remote, context, version, capabilities);
        session.Welcome();
        Become(session);
    }

    private async Task RefuseAsync(string code, string message)
    {
        var scratch = FrameLink.Scratch();
        FrameWriter.WriteError(scratch, code, message);
        link.Send(scratch.WrittenSpan);
        await link.CloseAsync(CloseCodes.Policy, message);
    }

    [LoggerMessage(6003, LogLevel.Information, "a client from {Remote} was refused: token {Token} ({Count} in this minute)")]
    private static partial void LogRefused(ILogger logger, string remote, string token, int count);

    [LoggerMessage(6004, LogLevel.Information, "session {Session} of account {Account} from {Remote}, generation {Generation}")]
    private static partial void LogConnected(ILogger logger, string session, string account, string remote, string generation);
}
