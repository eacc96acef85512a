namespace Mooring.Cli.Access;

/// <summary>What an operator may do; each role may do what those before it may.</summary>
internal enum OperatorRole
{
    /// <summary>Look.</summary>
    Viewer,

    /// <summary>Act on cars, devices, tunnels, rooms and messages.</summary>
    Operator,

    /// <summary>Enrol and remove agents, make accounts and tokens, read the audit log.</summary>
    Admin,
}
