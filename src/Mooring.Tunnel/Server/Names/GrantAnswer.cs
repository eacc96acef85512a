using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Sessions;

namespace Mooring.Tunnel.Server.Names;

/// <summary>What came of the wish for a tunnel: a grant, or why not.</summary>
internal sealed record GrantAnswer(TunnelGrant? Grant, TunnelBinding? Binding, string Code, string Message)
{
    public static GrantAnswer Refused(string code, string message) => new(null, null, code, message);
}
