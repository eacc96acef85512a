namespace Mooring.Edge.Agent.Engine;

/// <summary>Something happened to a container.</summary>
internal sealed record EngineEvent
{
    public string Type { get; init; } = "";

    /// <summary>start, die, stop, destroy and others.</summary>
    public string Action { get; init; } = "";

    public EngineEventActor? Actor { get; init; }

    /// <summary>Unix time in nanoseconds.</summary>
    public long TimeNano { get; init; }

    /// <summary>The container's name, or its id.</summary>
    public string Name => Actor?.Attributes is { } attributes && attributes.TryGetValue("name", out var name) ? name : Actor?.ID ?? "";
}

internal sealed record EngineEventActor(string ID, IReadOnlyDictionary<string, string>? Attributes);

/// <summary>One step of pulling an image.</summary>
internal sealed record PullProgress
{
    public string? Id { get; init; }
    public string? Status { get; init; }
    public PullProgressDetail? ProgressDetail { get; init; }

    /// <summary>Set when the pull failed: the engine reports that inside a stream that began with 200.</summary>
    public string? Error { get; init; }
}

/// <summary>Bytes of one layer.</summary>
internal sealed record PullProgressDetail(long? Current, long? Total);

/// <summary>Load of a container at one moment.</summary>
internal sealed record ContainerStats
{
    public CpuStats? CpuStats { get; init; }
    public MemoryStats? MemoryStats { get; init; }
    public IReadOnlyDictionary<string, NetworkStats>? Networks { get; init; }
}

/// <summary>Processor time since the container started.</summary>
internal sealed record CpuStats
{
    public CpuUsage? CpuUsage { get; init; }

    /// <summary>Nanoseconds that all processors of the host have spent.</summary>
    public ulong SystemCpuUsage { get; init; }

    public int? OnlineCpus { get; init; }
    public ThrottlingStats? ThrottlingData { get; init; }
}

/// <summary>Nanoseconds of processor time.</summary>
internal sealed record CpuUsage(ulong TotalUsage, IReadOnlyList<ulong>? PercpuUsage);

internal sealed record ThrottlingStats(ulong ThrottledTime);

/// <summary>Memory in bytes.</summary>
internal sealed record MemoryStats(ulong? Usage, IReadOnlyDictionary<string, ulong>? Stats);

internal sealed record NetworkStats(ulong RxBytes, ulong TxBytes);

internal sealed record EngineIdentity(string Version, string ApiVersion, string? MinAPIVersion);

internal sealed record EngineError(string? Message);

internal sealed record ImageDetails(string Id, IReadOnlyList<string>? RepoTags, IReadOnlyList<string>? RepoDigests);
