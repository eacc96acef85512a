using System.Text;
using Mooring.Kernel.Options;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker;

/// <summary>
/// One rule of the access list. In the pattern <c>%c</c> stands for the client identifier, <c>%u</c> for the user name, and
/// <c>%company</c> and <c>%car</c> for the two parts of a user name of the form <c>company/car</c>.
/// </summary>
/// <param name="Allow">True allows, false denies.</param>
/// <param name="Action">What it speaks about.</param>
/// <param name="Topic">A topic filter, with placeholders.</param>
public sealed record AccessRule(bool Allow, AccessAction Action, string Topic)
{
    /// <summary>The user that the rule is for; null for everybody.</summary>
    public string? User { get; init; }

    /// <summary>
    /// The rules of a fleet: a car speaks on its gateway's topic and hears the two topics of its server, nothing else.
    /// </summary>
    public static IReadOnlyList<AccessRule> FleetCar { get; } =
    [
        new(true, AccessAction.Publish, "%company/%car/module_gateway"),
        new(true, AccessAction.Subscribe, "%company/%car/external_server"),
        new(true, AccessAction.Subscribe, "%company/%car/external_server_disconnect"),
    ];

    internal void Validate(OptionsErrors errors, string key) =>
        errors.Require(
            TopicFilter.IsValid(Encoding.UTF8.GetBytes(Topic)), key, Topic,
            "use a topic filter: '+' as a whole level, '#' as the whole last level");
}
