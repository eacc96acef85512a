namespace Mooring.Cli.Access;

/// <summary>Who may make a request.</summary>
internal enum AccessRule
{
    /// <summary>Anybody.</summary>
    Open,

    /// <summary>A viewer, and who may more.</summary>
    Viewer,

    /// <summary>An operator, and who may more.</summary>
    Operator,

    /// <summary>An admin.</summary>
    Admin,
}
