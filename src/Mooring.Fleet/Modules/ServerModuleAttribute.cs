namespace Mooring.Fleet.Modules;

/// <summary>Use <see cref="ServerModuleAttribute{TFactory}"/>.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public abstract class ServerModuleAttribute : Attribute
{
    private protected ServerModuleAttribute()
    {
    }

    internal abstract IServerModuleFactory CreateFactory();
}

/// <summary>Says that an assembly is a module: <c>[assembly: ServerModule&lt;MyFactory&gt;]</c>.</summary>
/// <typeparam name="TFactory">Makes the modules.</typeparam>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class ServerModuleAttribute<TFactory> : ServerModuleAttribute
    where TFactory : IServerModuleFactory, new()
{
    internal override IServerModuleFactory CreateFactory() => new TFactory();
}
