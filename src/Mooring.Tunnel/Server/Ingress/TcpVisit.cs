using System.Net;
using System.Net.Sockets;

namespace Mooring.Tunnel.Server.Ingress;

/// <summary>A visitor's TCP connection.</summary>
/// <param name="Socket">The connection.</param>
/// <param name="Visitor">Who is at its other end: not the proxy in between, when there is one that tells.</param>
internal readonly record struct TcpVisit(Socket Socket, IPEndPoint Visitor);
