namespace Mooring.Kernel.Tls;

/// <summary>What a server wants to know about its clients' certificates.</summary>
public enum ClientCertificates
{
    /// <summary>Nothing: they are not asked for one.</summary>
    NotAsked,

    /// <summary>They may show one; if they do, it must be good.</summary>
    Optional,

    /// <summary>They must show a good one.</summary>
    Required,
}
