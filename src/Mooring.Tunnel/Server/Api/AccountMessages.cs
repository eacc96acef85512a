using System.Text.Json.Serialization;

namespace Mooring.Tunnel.Server.Api;

internal sealed record RegisterRequest(string? Email);

internal sealed record OldTokenRequest(string? OldToken);

internal sealed record HostnameRequest(string? Hostname);

internal sealed record AccountAnswer(string Id, string Email, string? AuthToken);

internal sealed record TokenAnswer(string AuthToken, string Token, string? Email);

internal sealed record VerifiedToken(string UserId, string Email);

internal sealed record ErrorAnswer(string Detail);

internal sealed record DnsRecord(string Name, string Value);

internal sealed record DnsRecords(DnsRecord Cname, DnsRecord Txt);

internal sealed record HostnameState(
    string Hostname, bool Verified, bool Certificate, bool Routable, string CertificateState, int CertificateAttempts, string? VerificationError,
    string? CertificateError, DnsRecords Dns, bool? DnsPointsAtRetunnel = null, string? DnsHint = null);

internal sealed record HostnameList(IReadOnlyList<HostnameState> Hostnames);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RegisterRequest))]
[JsonSerializable(typeof(OldTokenRequest))]
[JsonSerializable(typeof(HostnameRequest))]
[JsonSerializable(typeof(AccountAnswer))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(VerifiedToken))]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(HostnameState))]
[JsonSerializable(typeof(HostnameList))]
internal sealed partial class AccountJson : JsonSerializerContext;
