using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Mooring.Fleet.Cars;

namespace Mooring.Fleet.Modules.Native;

/// <summary>
/// A loaded module library. It stays loaded until the process ends: its own threads may still run in it after the last
/// context is destroyed.
/// </summary>
internal sealed unsafe class ModuleLibrary
{
    /// <summary>Device types whose answer is remembered. Libraries know a handful; a hostile car may ask for billions.</summary>
    private const int KnownTypesMax = 1024;

    private readonly ConcurrentDictionary<uint, bool> _supported = new();
    private readonly delegate* unmanaged[Cdecl]<int> _getModuleNumber;
    private readonly delegate* unmanaged[Cdecl]<uint, int> _isDeviceTypeSupported;

    private ModuleLibrary(string path, nint handle)
    {
        Path = path;
        var missing = new List<string>();
        void* Find(string symbol)
        {
            if (NativeLibrary.TryGetExport(handle, symbol, out var address)) return (void*)address;
            missing.Add(symbol);
            return null;
        }

        _getModuleNumber = (delegate* unmanaged[Cdecl]<int>)Find("get_module_number");
        _isDeviceTypeSupported = (delegate* unmanaged[Cdecl]<uint, int>)Find("is_device_type_supported");
        Init = (delegate* unmanaged[Cdecl]<NativeConfig, void*>)Find("init");
        Destroy = (delegate* unmanaged[Cdecl]<void**, int>)Find("destroy");
        DeviceConnected = (delegate* unmanaged[Cdecl]<NativeDevice, void*, int>)Find("device_connected");
        DeviceDisconnected = (delegate* unmanaged[Cdecl]<int, NativeDevice, void*, int>)Find("device_disconnected");
        ForwardStatus = (delegate* unmanaged[Cdecl]<NativeBuffer, NativeDevice, void*, int>)Find("forward_status");
        ForwardErrorMessage = (delegate* unmanaged[Cdecl]<NativeBuffer, NativeDevice, void*, int>)Find("forward_error_message");
        WaitForCommand = (delegate* unmanaged[Cdecl]<int, void*, int>)Find("wait_for_command");
        PopCommand = (delegate* unmanaged[Cdecl]<NativeBuffer*, NativeDevice*, void*, int>)Find("pop_command");
        CommandAck = (delegate* unmanaged[Cdecl]<NativeBuffer, NativeDevice, void*, int>)Find("command_ack");
        Deallocate = (delegate* unmanaged[Cdecl]<NativeBuffer*, void>)Find("deallocate");
        if (missing.Count > 0)
            throw new ModuleException($"{path} is not a module for the external server: it lacks {string.Join(", ", missing)}");
        Number = _getModuleNumber();
    }

    internal string Path { get; }

    internal int Number { get; }

    internal delegate* unmanaged[Cdecl]<NativeConfig, void*> Init { get; }

    internal delegate* unmanaged[Cdecl]<void**, int> Destroy { get; }

    internal delegate* unmanaged[Cdecl]<NativeDevice, void*, int> DeviceConnected { get; }

    internal delegate* unmanaged[Cdecl]<int, NativeDevice, void*, int> DeviceDisconnected { get; }

    internal delegate* unmanaged[Cdecl]<NativeBuffer, NativeDevice, void*, int> ForwardStatus { get; }

    internal delegate* unmanaged[Cdecl]<NativeBuffer, NativeDevice, void*, int> ForwardErrorMessage { get; }

    internal delegate* unmanaged[Cdecl]<int, void*, int> WaitForCommand { get; }

    internal delegate* unmanaged[Cdecl]<NativeBuffer*, NativeDevice*, void*, int> PopCommand { get; }

    internal delegate* unmanaged[Cdecl]<NativeBuffer, NativeDevice, void*, int> CommandAck { get; }

    internal delegate* unmanaged[Cdecl]<NativeBuffer*, void> Deallocate { get; }

    /// <exception cref="ModuleException">The file is missing, not a library, or lacks functions.</exception>
    internal static ModuleLibrary Load(string path)
    {
        if (!File.Exists(path)) throw new ModuleException($"{path}: no such file");
        nint handle;
        try
        {
            handle = NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new ModuleException($"{path} cannot be loaded: {ReasonOf(e, path)}");
        }
        try
        {
            return new ModuleLibrary(path, handle);
        }
        catch
        {
            NativeLibrary.Free(handle);
            throw;
        }
    }

    /// <summary>The answer is one for all cars and does not change, so it is asked for once.</summary>
    internal bool IsSupported(uint deviceType)
    {
        if (_supported.TryGetValue(deviceType, out var isSupported)) return isSupported;
        isSupported = _isDeviceTypeSupported(deviceType) == ModuleCode.Ok;
        if (_supported.Count < KnownTypesMax) _supported.TryAdd(deviceType, isSupported);
        return isSupported;
    }

    // The message has a line for each place that was tried and advice for programmers; the loader's own line says it all.
    private static string ReasonOf(Exception failure, string path)
    {
        var lines = failure.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var reason = lines.FirstOrDefault(line => line.StartsWith(path + ":", StringComparison.Ordinal));
        return reason is null ? lines[^1] : reason[(path.Length + 1)..].Trim();
    }
}
