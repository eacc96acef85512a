using System.Runtime.InteropServices;

namespace Mooring.Fleet.Tests.Modules;

/// <summary>What libfaults.so has counted.</summary>
internal static unsafe class Faults
{
    private static readonly nint Library = NativeLibrary.Load(NativeLibraries.Faults);

    internal static int Allocated => Ask("faults_allocated");

    internal static int Freed => Ask("faults_freed");

    internal static int Contexts => Ask("faults_contexts");

    internal static int Overlaps => Ask("faults_overlaps");

    internal static int Unterminated => Ask("faults_unterminated");

    internal static int Held => Ask("faults_held");

    internal static int Polls => Ask("faults_polls");

    internal static int Acknowledged => Ask("faults_acks");

    internal static string Configuration =>
        Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)NativeLibrary.GetExport(Library, "faults_config"))())!;

    /// <summary>Lets calls that are held go on, and further ones too; or holds them again.</summary>
    internal static void Release(bool isOpen = true) =>
        ((delegate* unmanaged[Cdecl]<int, void>)NativeLibrary.GetExport(Library, "faults_release"))(isOpen ? 1 : 0);

    private static int Ask(string counter) => ((delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(Library, counter))();
}
