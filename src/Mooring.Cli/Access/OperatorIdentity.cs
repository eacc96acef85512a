using System.Security.Claims;

namespace Mooring.Cli.Access;

/// <summary>Who sent a request.</summary>
/// <param name="Name">The account's name.</param>
/// <param name="Role">What the account may do.</param>
/// <param name="Means">How it was shown: by being on this machine, by a session or by a token.</param>
internal sealed record OperatorIdentity(string Name, OperatorRole Role, string Means)
{
    internal const string BySession = "session";

    /// <summary>Everyone on this machine, where the listener is open.</summary>
    internal static OperatorIdentity Local { get; } = new("local", OperatorRole.Admin, "loopback");

    internal string RoleName => Role.ToString().ToLowerInvariant();

    /// <summary>As the roles of the process read it: a name, and every role up to the account's own.</summary>
    internal ClaimsPrincipal ToPrincipal() => new(new ClaimsIdentity(
        [
            new Claim(ClaimTypes.Name, Name),
            .. Enum.GetValues<OperatorRole>().Where(role => role <= Role).Select(role => new Claim(ClaimTypes.Role, role.ToString().ToLowerInvariant())),
        ],
        Means));
}
