using System.Buffers;
using System.Text;
using Google.Protobuf;
using Mooring.Fleet.Cars;
using Mooring.Fleet.Protocol;

namespace Mooring.Fleet.Modules.Native;

/// <summary>
/// One context of a library: what it keeps for one car. A context is not thread-safe, so every call holds the lock,
/// except the wait for commands, which blocks and which libraries guard themselves.
/// </summary>
internal sealed unsafe class NativeContext
{
    /// <summary>Up to here the arguments of a call are laid out on the stack.</summary>
    private const int StackBytes = 1024;

    /// <summary>Each text and each payload is followed by a zero that does not count, for libraries that read up to one.</summary>
    private const int ZeroBytes = 3;

    private readonly Lock _lock = new();
    private readonly ModuleLibrary _library;
    private void* _context;

    private NativeContext(ModuleLibrary library, void* context)
    {
        _library = library;
        _context = context;
    }

    private delegate int ContextCall(ModuleLibrary library, NativeBuffer data, in NativeDevice device, void* context);

    /// <summary>Whether a call would have to wait for one that runs.</summary>
    internal bool IsBusy
    {
        get
        {
            if (!_lock.TryEnter()) return true;
            _lock.Exit();
            return false;
        }
    }

    /// <returns>Null when the library refuses the parameters.</returns>
    internal static NativeContext? Create(ModuleLibrary library, IReadOnlyList<KeyValuePair<string, string>> parameters)
    {
        var size = parameters.Sum(p => Encoding.UTF8.GetByteCount(p.Key) + Encoding.UTF8.GetByteCount(p.Value) + 2);
        var entries = new NativeKeyValue[parameters.Count];
        fixed (byte* bytes = new byte[size + 1])
        fixed (NativeKeyValue* first = entries)
        {
            var writer = new ArgumentWriter(bytes);
            for (var i = 0; i < entries.Length; i++)
                first[i] = new NativeKeyValue { Key = writer.Write(parameters[i].Key), Value = writer.Write(parameters[i].Value) };
            var context = library.Init(new NativeConfig { Parameters = first, Size = (nuint)entries.Length });
            return context is null ? null : new NativeContext(library, context);
        }
    }

    internal int Connect(Device device) => Call(ByteString.Empty, device, static (library, _, in d, context) => library.DeviceConnected(d, context));

    internal int DisconnectAnnounced(Device device) =>
        Call(ByteString.Empty, device, static (library, _, in d, context) => library.DeviceDisconnected(0, d, context));

    internal int DisconnectTimeout(Device device) =>
        Call(ByteString.Empty, device, static (library, _, in d, context) => library.DeviceDisconnected(1, d, context));

    internal int ForwardStatus(ByteString status, Device device) =>
        Call(status, device, static (library, data, in d, context) => library.ForwardStatus(data, d, context));

    internal int ForwardError(ByteString error, Device device) =>
        Call(error, device, static (library, data, in d, context) => library.ForwardErrorMessage(data, d, context));

    internal int Acknowledge(CarCommand command) =>
        Call(command.Data, command.Device, static (library, data, in d, context) => library.CommandAck(data, d, context));

    /// <summary>Blocks for up to <paramref name="timeout"/>; the only call that runs beside others.</summary>
    internal int Wait(TimeSpan timeout) => _library.WaitForCommand((int)timeout.TotalMilliseconds, _context);

    internal int Destroy()
    {
        lock (_lock)
        {
            fixed (void** context = &_context) return _library.Destroy(context);
        }
    }

    /// <summary>Takes the commands that are there, the oldest first.</summary>
    /// <param name="commandsMax">So many at most: a library must not be able to hold its caller for ever.</param>
    /// <param name="take">Gets each command while the lock is held; must not block.</param>
    /// <returns>What the last call returned: above 0 there are more, below 0 it failed.</returns>
    internal int Pop(int commandsMax, Action<CarCommand> take)
    {
        lock (_lock)
        {
            var code = 1;
            for (var i = 0; i < commandsMax && code > 0; i++)
            {
                code = PopOne(out var command);
                if (command is not null) take(command);
            }
            return code;
        }
    }

    private int PopOne(out CarCommand? command)
    {
        NativeBuffer data = default;
        NativeDevice device = default;
        command = null;
        try
        {
            var code = _library.PopCommand(&data, &device, _context);
            // Some libraries return 0 with nothing filled in when there was nothing.
            var isEmpty = device.Role.Size == 0 && data.Size == 0;
            if (code >= 0 && !isEmpty)
            {
                var identity = new Device
                {
                    Module = (Device.Types.Module)device.Module,
                    DeviceType = device.Type,
                    DeviceRole = TextOf(device.Role),
                    DeviceName = TextOf(device.Name),
                    Priority = device.Priority,
                };
                command = new CarCommand(identity, ByteString.CopyFrom(SpanOf(data)));
            }
            return code;
        }
        finally
        {
            _library.Deallocate(&device.Role);
            _library.Deallocate(&device.Name);
            _library.Deallocate(&data);
        }
    }

    private int Call(ByteString data, Device device, ContextCall call)
    {
        var size = data.Length + Encoding.UTF8.GetMaxByteCount(device.DeviceRole.Length)
            + Encoding.UTF8.GetMaxByteCount(device.DeviceName.Length) + ZeroBytes;
        byte[]? rented = null;
        var scratch = size <= StackBytes ? stackalloc byte[StackBytes] : rented = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            fixed (byte* bytes = scratch)
            {
                var writer = new ArgumentWriter(bytes);
                var native = new NativeDevice
                {
                    Module = (int)device.Module,
                    Type = device.DeviceType,
                    Role = writer.Write(device.DeviceRole),
                    Name = writer.Write(device.DeviceName),
                    Priority = device.Priority,
                };
                var buffer = writer.Write(data.Span);
                lock (_lock) return call(_library, buffer, native, _context);
            }
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static ReadOnlySpan<byte> SpanOf(NativeBuffer buffer) =>
        buffer.Data is null ? [] : new ReadOnlySpan<byte>(buffer.Data, checked((int)buffer.Size));

    private static string TextOf(NativeBuffer buffer) => Encoding.UTF8.GetString(SpanOf(buffer));

    /// <summary>Lays texts and bytes one behind the other into memory that has been measured.</summary>
    private ref struct ArgumentWriter(byte* next)
    {
        private byte* _next = next;

        internal NativeBuffer Write(string text)
        {
            fixed (char* characters = text)
            {
                var size = text.Length == 0 ? 0 : Encoding.UTF8.GetBytes(characters, text.Length, _next, Encoding.UTF8.GetMaxByteCount(text.Length));
                return End(size);
            }
        }

        internal NativeBuffer Write(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(new Span<byte>(_next, bytes.Length));
            return End(bytes.Length);
        }

        private NativeBuffer End(int size)
        {
            var buffer = new NativeBuffer { Data = _next, Size = (nuint)size };
            _next[size] = 0;
            _next += size + 1;
            return buffer;
        }
    }
}
