namespace Mooring.Tunnel.Tests.Server;

/// <summary>Listening is for the whole process: other tests' requests would have a header more.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TracedAloneCollection
{
    public const string Name = "traced alone";
}
