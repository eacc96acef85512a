namespace Mooring.Fleet.Tests.Cars;

/// <summary>Listening is for the whole process: other tests would make spans too, and take longer.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TracedAloneCollection
{
    public const string Name = "traced alone";
}
