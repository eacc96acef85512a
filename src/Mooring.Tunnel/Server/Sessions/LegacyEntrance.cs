using System.Buffers;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationA;
using Mooring.Tunnel.Protocol.GenerationB;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>Lets clients of generation A in.</summary>
internal static class LegacyEntrance
{
    /// <summary>Reads the first message; the result answers it.</summary>
    public static Func<Task> Read(ReadOnlySpan<byte> message, ControlEntrance entrance)
    {
        if (ControlCodec.Read(message) is not ControlMessage.Auth auth)
            throw new TunnelProtocolException(TunnelProtocolError.UnknownType, "the first message is no Auth");
        return () => AdmitAsync(entrance, auth);
    }

    private static async Task AdmitAsync(ControlEntrance entrance, ControlMessage.Auth auth)
    {
        var account = await entrance.AuthenticateAsync(auth.User ?? "");
        if (account is null)
        {
            // The text is what clients look for before they try to get another token.
            await RefuseAsync(entrance, auth, "Invalid auth token");
            return;
        }
        // A client that comes back says who it was; what it left behind is closed.
        if (auth.ClientId is { Length: > 0 } former && entrance.Registry.Find(former) is { } stale && stale.Account.Id == account.Id)
            await stale.CloseAsync(CloseCodes.Replaced, "the client came back");
        if (!entrance.Registry.HasRoomFor(entrance.Remote))
        {
            await RefuseAsync(entrance, auth, $"{ErrorCodes.QuotaSessions}: too many connections from this address");
            return;
        }
        if (entrance.Context.Usages.Of(account).Sessions >= account.Quota.Sessions)
        {
            await RefuseAsync(entrance, auth, $"{ErrorCodes.QuotaSessions}: the account may have {account.Quota.Sessions} connections");
            return;
        }
        var session = new LegacySession(Identifier.NextSession(entrance.Context.Time.GetUtcNow()), account, entrance.Link, entrance.Remote, entrance.Context);
        // In the registry first: the client may dial a proxy connection as soon as it knows its id.
        entrance.Become(session);
        Send(entrance, new ControlMessage.AuthResp(session.Id, auth.Version ?? "2.3.40", auth.MmVersion ?? "2.3", null));
        session.AskForProxy();
    }

    private static async Task RefuseAsync(ControlEntrance entrance, ControlMessage.Auth auth, string error)
    {
        Send(entrance, new ControlMessage.AuthResp(auth.ClientId, null, null, error));
        await entrance.Link.CloseAsync(CloseCodes.Policy, error);
    }

    private static void Send(ControlEntrance entrance, ControlMessage message)
    {
        var output = new ArrayBufferWriter<byte>(256);
        ControlCodec.Write(output, message);
        entrance.Link.Send(output.WrittenSpan);
    }
}
