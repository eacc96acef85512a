using Microsoft.Extensions.Logging;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Names;

namespace Mooring.Tunnel.Server.Sessions;

/// <summary>What every session of a server shares.</summary>
internal sealed record SessionContext(
    TunnelServerOptions Options, AccountStore Accounts, AccountUsages Usages, NameAuthority Names, TunnelMetrics Metrics, TimeProvider Time, ILogger Logger);
