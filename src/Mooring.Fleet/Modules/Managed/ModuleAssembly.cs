using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Mooring.Fleet.Cars;

namespace Mooring.Fleet.Modules.Managed;

/// <summary>An assembly with a module, and what it needs beside it; what it shares with the server comes from the server.</summary>
internal sealed class ModuleAssembly : AssemblyLoadContext
{
    private readonly AssemblyDependencyResolver _resolver;

    private ModuleAssembly(string path)
        : base(Path.GetFileNameWithoutExtension(path)) => _resolver = new AssemblyDependencyResolver(path);

    /// <exception cref="ModuleException">The file is missing, not an assembly, or not a module.</exception>
    internal static IServerModuleFactory Load(string path)
    {
        if (!File.Exists(path)) throw new ModuleException($"{path}: no such file");
        if (!RuntimeFeature.IsDynamicCodeSupported)
            throw new ModuleException($"{path}: this build of the program is compiled ahead of time and cannot load C# modules");
        try
        {
            var found = Find(path);
            return found?.CreateFactory() ?? throw new ModuleException($"{path} is not a module: it lacks [assembly: ServerModule<...>]");
        }
        catch (BadImageFormatException)
        {
            throw new ModuleException($"{path} is not a .NET assembly");
        }
        catch (Exception e) when (e is FileLoadException or FileNotFoundException or TypeLoadException or MissingMemberException or TargetInvocationException)
        {
            throw new ModuleException($"{path} cannot be loaded: {(e.InnerException ?? e).Message.ReplaceLineEndings(" ")}");
        }
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        // One IServerModule for all: an assembly that the server has is never loaded a second time.
        if (Default.Assemblies.Any(a => a.GetName().Name == assemblyName.Name)) return null;
        return _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadHere(path) : null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;

    private static ServerModuleAttribute? Find(string path) =>
        new ModuleAssembly(path).LoadHere(path).GetCustomAttribute<ServerModuleAttribute>();

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "A module brings its own dependencies; the interfaces it implements are used here.")]
    private Assembly LoadHere(string path) => LoadFromAssemblyPath(path);
}
