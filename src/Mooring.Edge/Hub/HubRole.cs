namespace Mooring.Edge.Hub;

/// <summary>What an operator may do; each role may do what those before it may.</summary>
public enum HubRole
{
    /// <summary>Look.</summary>
    Viewer,

    /// <summary>Create, control and delete devices, and talk to their runtimes.</summary>
    Operator,

    /// <summary>Enrol, claim, revoke and remove agents, and call any topic.</summary>
    Admin,
}
