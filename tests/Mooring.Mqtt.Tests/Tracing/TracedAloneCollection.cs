namespace Mooring.Mqtt.Tests.Tracing;

/// <summary>While somebody listens, messages carry one property more: tests that compare bytes must not run meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TracedAloneCollection
{
    public const string Name = "traced alone";
}
