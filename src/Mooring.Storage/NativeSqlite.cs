using System.Reflection;
using System.Runtime.InteropServices;

namespace Mooring.Storage;

/// <summary>
/// Chooses the native library. The system's is preferred where there is one, because the system's updates keep it safe; the one
/// that comes with the package is old but is always there.
/// </summary>
internal static class NativeSqlite
{
    private const string BundledName = "e_sqlite3";
    private static readonly Lazy<bool> Prepared = new(PrepareOnce);

    public static void Prepare() => _ = Prepared.Value;

    private static bool PrepareOnce()
    {
        // The provider imports "e_sqlite3"; both libraries export the same functions.
        NativeLibrary.SetDllImportResolver(typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly, Resolve);
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        SQLitePCL.raw.FreezeProvider();
        return true;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != BundledName || !OperatingSystem.IsLinux()) return 0;
        return NativeLibrary.TryLoad("libsqlite3.so.0", out var handle) ? handle : 0;
    }
}
