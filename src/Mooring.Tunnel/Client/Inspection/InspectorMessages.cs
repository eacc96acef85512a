using System.Text.Json.Serialization;

namespace Mooring.Tunnel.Client.Inspection;

internal sealed record TransactionView(long Id, string Method, string Path, int Status, double DurationMs, DateTimeOffset Started, string RequestId);

internal sealed record TransactionList(IReadOnlyList<TransactionView> Requests);

internal sealed record TransactionDetail(TransactionView Summary, string Request, string Response, bool RequestCut, bool ResponseCut);

internal sealed record ReplayRequest(long Id);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TransactionList))]
[JsonSerializable(typeof(TransactionDetail))]
[JsonSerializable(typeof(ReplayRequest))]
internal sealed partial class InspectorJson : JsonSerializerContext;
