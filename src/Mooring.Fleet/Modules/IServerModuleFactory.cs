namespace Mooring.Fleet.Modules;

/// <summary>Makes the modules of an assembly, one for each car. Named with <see cref="ServerModuleAttribute{TFactory}"/>.</summary>
public interface IServerModuleFactory
{
    /// <summary>Module number; must be the configured one.</summary>
    int Number { get; }

    /// <summary>Makes the module of a car.</summary>
    /// <param name="context">The car, the configuration, and the way for commands.</param>
    /// <param name="cancellationToken">Cancelled when the start takes too long.</param>
    /// <exception cref="ArgumentException">The configuration cannot be used; its message is shown to the operator.</exception>
    ValueTask<IServerModule> CreateAsync(ServerModuleContext context, CancellationToken cancellationToken);
}
