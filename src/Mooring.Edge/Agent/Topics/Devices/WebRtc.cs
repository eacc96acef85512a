using System.Text.Json.Nodes;
using Mooring.Edge.Protocol;

namespace Mooring.Edge.Agent.Topics.Devices;

/// <summary>
/// Signalling of a direct connection between a browser and a device. This agent has none: the shape of the answers makes a browser fall
/// back to commands over the hub at once.
/// </summary>
internal sealed class WebRtc : ITopic
{
    private const string Reason = "this agent offers no WebRTC; commands and debugging work through run_command";

    private readonly string _status;

    private WebRtc(string name, Contract contract, string status) => (Name, Contract, _status) = (name, contract, status);

    /// <summary>A browser offers a connection.</summary>
    public static WebRtc Offer { get; } = new("webrtc:offer", Session
        .Required("device_id", ContractType.String)
        .Required("sdp", ContractType.String)
        .Required("sdp_type", ContractType.String), "error");

    /// <summary>A browser tells one of its addresses.</summary>
    public static WebRtc Ice { get; } = new("webrtc:ice", Session
        .Optional("candidate", ContractType.String)
        .Optional("sdp_mid", ContractType.String)
        .Optional("sdp_mline_index", ContractType.Number), "error");

    /// <summary>A browser ends a connection; one that is not known is no error.</summary>
    public static WebRtc Disconnect { get; } = new("webrtc:disconnect", Session.Optional("reason", ContractType.String), "warning");

    public string Name { get; }

    public Contract Contract { get; }

    private static Contract Session => Contract.Request.Required("session_id", ContractType.String);

    public Task<JsonObject> HandleAsync(TopicRequest request, CancellationToken cancellationToken) => Task.FromResult(new JsonObject
    {
        ["status"] = _status, ["session_id"] = request.Text("session_id"), ["error"] = Reason, ["error_code"] = "webrtc_unavailable",
    });
}
