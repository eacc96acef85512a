using System.Text.Json;
using System.Text.Json.Serialization;

namespace Mooring.Cli.Access;

internal sealed record LoginRequest(string? Name, string? Password);

internal sealed record IdentityView(string Name, string Role, string Means);

internal sealed record AuditPage(IReadOnlyList<AuditEntry> Entries, long? Before);

internal sealed record AccountRequest(string? Role, string? Password);

internal sealed record TokenRequest(string? Label, int? Days);

internal sealed record TokenAnswer(string Account, string Label, string Token);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, UseStringEnumConverter = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoginRequest), TypeInfoPropertyName = "OperatorLogin")]
[JsonSerializable(typeof(IdentityView))]
[JsonSerializable(typeof(AuditPage))]
[JsonSerializable(typeof(IReadOnlyList<AccountRecord>))]
[JsonSerializable(typeof(AccountRequest))]
[JsonSerializable(typeof(TokenRequest), TypeInfoPropertyName = "OperatorTokenRequest")]
[JsonSerializable(typeof(TokenAnswer), TypeInfoPropertyName = "OperatorTokenAnswer")]
internal sealed partial class AccessJson : JsonSerializerContext;
