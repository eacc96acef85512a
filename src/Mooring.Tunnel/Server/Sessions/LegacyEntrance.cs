using Mooring.Tunnel.Protocol;
using Mooring.Tunnel.Protocol.GenerationA;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>Lets clients of generation A in.</summary>
internal static class LegacyEntrance
{
    /// <summary>Reads the first message; the result answers it.</summary>
    public static Func<Task> Read(ReadOnlySpan<byte> message, ControlEntrance entrance)
    {
        if (ControlCodec.Read(message) is not ControlMessage.Auth auth)
            throw new TunnelProtocolException(TunnelProtocolError.UnknownType, "the first message is no Auth");
        return () => RefuseAsync(entrance, auth);
    }

    private static async Task RefuseAsync(ControlEntrance entrance, ControlMessage.Auth auth)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        ControlCodec.Write(output, new ControlMessage.AuthResp(auth.ClientId, null, null, "Invalid auth token"));
        entrance.Link.Send(output.WrittenSpan);
        await entrance.Link.CloseAsync(CloseCodes.Policy, "Invalid auth token");
    }
}
