using System.Text.Json.Serialization;
using Mooring.Tunnel.Server.Accounts;
using Mooring.Tunnel.Server.Names;

namespace Mooring.Tunnel.Server.Api;

internal sealed record SessionView(string Id, string Account, string Remote, string Generation, DateTimeOffset Started, int Tunnels, int Streams, long BytesSent, long BytesReceived, bool Draining);

internal sealed record TunnelView(string Id, string Url, string Protocol, string Account, string Session, DateTimeOffset Created, long Requests, long BytesIn, long BytesOut);

internal sealed record NodeView(string Id, string Version, DateTimeOffset Started, bool Ready, bool Draining, int Sessions, int Tunnels);

internal sealed record AccountView(string Id, string Email, long Created, bool Disabled, Quota Quota, IReadOnlyList<TokenSummary> Tokens);

internal sealed record EventView(DateTimeOffset At, string Subject, string Severity, string Text);

internal sealed record TakedownRequest(string? Reason);

internal sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

internal sealed record NewAccountRequest(string? Email, bool Admin);

internal sealed record NewTokenRequest(string? Label, bool Admin);

internal sealed record NameRequest(string? Account);

internal sealed record Problem(int Status, string Title);

internal sealed record StateView(string Status);

internal sealed record VersionView(string Version, bool Draining, int Sessions, int Tunnels);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Page<SessionView>))]
[JsonSerializable(typeof(Page<TunnelView>))]
[JsonSerializable(typeof(Page<AccountSummary>))]
[JsonSerializable(typeof(Page<NameReservation>))]
[JsonSerializable(typeof(Page<OwnHostname>))]
[JsonSerializable(typeof(Page<PortLease>))]
[JsonSerializable(typeof(Page<NodeView>))]
[JsonSerializable(typeof(Page<Takedown>))]
[JsonSerializable(typeof(AccountView))]
[JsonSerializable(typeof(EventView))]
[JsonSerializable(typeof(TakedownRequest))]
[JsonSerializable(typeof(StateView))]
[JsonSerializable(typeof(NewAccountRequest))]
[JsonSerializable(typeof(NewTokenRequest))]
[JsonSerializable(typeof(NameRequest))]
[JsonSerializable(typeof(Quota))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(VersionView))]
internal sealed partial class AdminJson : JsonSerializerContext;
