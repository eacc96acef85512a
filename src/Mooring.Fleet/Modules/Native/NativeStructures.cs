using System.Runtime.InteropServices;

namespace Mooring.Fleet.Modules.Native;

// The structures of native/include/mooring_module.h with the layout of the C compiler; all are passed by value or filled in.

/// <summary><c>struct buffer</c>: 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeBuffer
{
    internal byte* Data;
    internal nuint Size;
}

/// <summary><c>struct device_identification</c>: 48 bytes, of which the last four are padding.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeDevice
{
    internal int Module;
    internal uint Type;
    internal NativeBuffer Role;
    internal NativeBuffer Name;
    internal uint Priority;
}

/// <summary><c>struct key_value</c>: 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeKeyValue
{
    internal NativeBuffer Key;
    internal NativeBuffer Value;
}

/// <summary><c>struct config</c>: 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeConfig
{
    internal NativeKeyValue* Parameters;
    internal nuint Size;
}
