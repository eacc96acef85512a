using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Mooring.Kernel.Sockets;

namespace Mooring.Bench.Mqtt;

/// <summary>All connections of a load on one thread: wait, read each ready socket once, parse everything, flush answers once.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class LoadLoop : IDisposable
{
    private const int EventsPerTurn = 256;
    private const int ReadBytes = 256 * 1024;
    private const int RestLimit = 64 * 1024;
    private const ulong TimerKey = ulong.MaxValue - 1;

    // Below the accept queue of a common server (mosquitto: 100), whose overflow would cost each further connect a second.
    private const int ConnectsInFlight = 64;
    private const int WaitMilliseconds = 100;

    private readonly EpollSet _set = new(EventsPerTurn);
    private readonly List<LoadConnection> _connections = [];
    private readonly IPEndPoint _server;
    private readonly TimeProvider _time;
    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(ReadBytes + RestLimit);
    private ILoadHandler _handler;
    private int _timer = -1;
    private int _handshakes;

    internal LoadLoop(IPEndPoint server, TimeProvider time, ILoadHandler handler)
    {
        _server = server;
        _time = time;
        _handler = handler;
    }

    internal IReadOnlyList<LoadConnection> Connections => _connections;

    /// <summary>Timestamp of the read that is being handled: one look at the clock for all its packets.</summary>
    internal long ReadAt { get; private set; }

    internal void Use(ILoadHandler handler) => _handler = handler;

    /// <summary>
    /// Opens <paramref name="count"/> connections, subscribed to <paramref name="filter"/> of their number if given, and
    /// waits for every CONNACK and SUBACK.
    /// </summary>
    internal LoadConnection[] Connect(
        int count, string clientPrefix, ushort keepAliveSeconds, Func<int, string>? filter, int qualityOfService, TimeSpan within)
    {
        var started = _time.GetTimestamp();
        var opened = new LoadConnection[count];
        for (var i = 0; i < count; i++)
        {
            opened[i] = Open(i, $"{clientPrefix}{i}", keepAliveSeconds, filter?.Invoke(i), qualityOfService);
            while (_handshakes >= ConnectsInFlight) TurnBefore(started, within);
        }
        while (_handshakes > 0) TurnBefore(started, within);
        return opened;
    }

    internal void StartTimer(TimeSpan period)
    {
        _timer = LibC.PeriodicTimer(period);
        _set.Add(_timer, LibC.EventIn, TimerKey);
    }

    /// <summary>One turn; returns whether anything was ready.</summary>
    internal bool Turn(int timeoutMilliseconds)
    {
        var ready = _set.Wait(timeoutMilliseconds);
        for (var i = 0; i < ready; i++)
        {
            var key = _set.Key(i);
            if (key == TimerKey)
            {
                OnTimer();
                continue;
            }
            var connection = _connections[(int)key];
            var events = _set.Events(i);
            if ((events & LibC.EventOut) != 0) Flush(connection);
            if ((events & ~LibC.EventOut) == 0) continue;
            Read(connection);
            if (connection.HasOutput) Flush(connection);
        }
        return ready > 0;
    }

    /// <summary>Sends the connection's output now, and the rest when the socket has room again.</summary>
    internal void Flush(LoadConnection connection)
    {
        var done = connection.Flush();
        if (done != connection.IsArmedForOutput) return;
        connection.IsArmedForOutput = !done;
        _set.Modify(
            connection.Descriptor, done ? LibC.EventIn : LibC.EventIn | LibC.EventOut, (ulong)connection.Index);
    }

    public void Dispose()
    {
        foreach (var connection in _connections) connection.Dispose();
        if (_timer >= 0) _ = LibC.Close(_timer);
        _set.Dispose();
        NativeMemory.Free(_buffer);
    }

    private LoadConnection Open(int role, string clientId, ushort keepAliveSeconds, string? filter, int qualityOfService)
    {
        LoadConnection connection;
        try
        {
            connection = new LoadConnection(_connections.Count, _server) { Role = role, IsSubscribed = filter is null };
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new MooringBenchException($"Cannot connect to {_server}: {e.Message} ({_connections.Count} connections open)");
        }
        _connections.Add(connection);
        _set.Add(connection.Descriptor, LibC.EventIn, (ulong)connection.Index);
        Append(connection, MqttBytes.EncodeConnect(clientId, keepAliveSeconds));
        if (filter is not null) Append(connection, MqttBytes.EncodeSubscribe(1, filter, qualityOfService));
        _handshakes++;
        Flush(connection);
        return connection;
    }

    private static void Append(LoadConnection connection, byte[] packet) => packet.CopyTo(connection.Append(packet.Length));

    private void TurnBefore(long started, TimeSpan within)
    {
        if (!Turn(WaitMilliseconds) && _time.GetElapsedTime(started) > within)
            throw new MooringBenchException($"{_handshakes} connections got no CONNACK or SUBACK within {within.TotalSeconds:0} s.");
    }

    private void OnTimer()
    {
        long expirations;
        if (LibC.Read(_timer, (byte*)&expirations, sizeof(long)) == sizeof(long)) _handler.OnTimer(expirations);
    }

    private void Read(LoadConnection connection)
    {
        var rest = connection.Rest.Length;
        connection.Rest.CopyTo(new Span<byte>(_buffer, rest));
        var read = LibC.Receive(connection.Descriptor, _buffer + rest, ReadBytes, LibC.DoNotWaitNoSignal);
        if (read <= 0)
        {
            var error = read == 0 ? 0 : LibC.LastError;
            if (error is LibC.ErrorTryAgain or LibC.ErrorInterrupted) return;
            throw new MooringBenchException($"The server closed connection {connection.Index} (error {error} on read).");
        }
        ReadAt = _time.GetTimestamp();
        var bytes = new ReadOnlySpan<byte>(_buffer, rest + (int)read);
        while (MqttBytes.TryMeasure(bytes, out var header, out var length) && length <= bytes.Length)
        {
            Handle(connection, bytes[0], bytes[header..length]);
            bytes = bytes[length..];
        }
        if (bytes.Length > RestLimit) throw new MooringBenchException("The server sent a packet that this load did not ask for.");
        connection.Rest = bytes.IsEmpty ? [] : bytes.ToArray();
    }

    private void Handle(LoadConnection connection, byte first, ReadOnlySpan<byte> body)
    {
        switch (first & 0xF0)
        {
            case MqttBytes.Publish:
                var quality = first >> 1 & 3;
                var at = 2 + BinaryPrimitives.ReadUInt16BigEndian(body);
                ushort id = 0;
                if (quality > 0)
                {
                    id = BinaryPrimitives.ReadUInt16BigEndian(body[at..]);
                    at += 2;
                }
                _handler.OnDelivery(connection, body[at..], quality, id);
                break;
            case MqttBytes.PublishAck:
                _handler.OnAcknowledged(connection, BinaryPrimitives.ReadUInt16BigEndian(body));
                break;
            case MqttBytes.ConnectAck:
                if (body[1] != 0) throw new MooringBenchException($"The server refused CONNECT with code {body[1]}.");
                connection.IsConnected = true;
                FinishHandshake(connection);
                break;
            case MqttBytes.SubscribeAck:
                if (body[2] >= 0x80) throw new MooringBenchException("The server refused SUBSCRIBE.");
                connection.IsSubscribed = true;
                FinishHandshake(connection);
                break;
            case MqttBytes.PingResponse:
                break;
            default:
                throw new MooringBenchException($"The server sent an unexpected packet 0x{first:X2}.");
        }
    }

    private void FinishHandshake(LoadConnection connection)
    {
        if (connection is { IsConnected: true, IsSubscribed: true }) _handshakes--;
    }
}
