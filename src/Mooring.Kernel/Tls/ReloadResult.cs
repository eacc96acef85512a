namespace Mooring.Kernel.Tls;

/// <summary>What a look at the files led to.</summary>
public enum ReloadResult
{
    /// <summary>The files are as they were.</summary>
    Unchanged,

    /// <summary>The files have changed; new connections use them.</summary>
    Reloaded,

    /// <summary>The files have changed but cannot be used; the material stays as it was.</summary>
    Failed,
}
