using System.Buffers.Text;
using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Mooring.Bench.Mqtt;
using Mooring.Kernel.Sockets;

namespace Mooring.Bench.Chat;

/// <summary>
/// A sender and the members of one room, on one thread. Every payload is <c>|</c>, eight hexadecimal digits of its number, and a
/// filling; each member must see all numbers in sequence.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class ChatLoad : IDisposable
{
    private const int EventsPerTurn = 256;
    private const int ReadBytes = 256 * 1024;
    private const int RestBytesMax = 64 * 1024;
    private const int SentTimes = 1 << 16;
    private const int ConnectsInFlight = 32;
    private const int WaitMilliseconds = 100;
    private const int SequenceDigits = 8;
    private const byte Mark = (byte)'|';
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan QuietTime = TimeSpan.FromMilliseconds(500);

    private readonly EpollSet _set = new(EventsPerTurn);
    private readonly List<LoadConnection> _connections = [];
    private readonly List<uint> _expected = [];
    private readonly IPEndPoint _server;
    private readonly ChatDialect _dialect;
    private readonly TimeProvider _time;
    private readonly double _nanosecondsPerTick;
    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(ReadBytes + RestBytesMax);
    private readonly long[] _sentAt = new long[SentTimes];
    private readonly byte[] _message;
    private readonly int _numberAt;
    private readonly int _payloadBytes;
    private LoadConnection _sender = null!;
    private bool _isMeasuring;
    private int _entering;
    private int _recordBefore = -1;
    private uint _sent;

    internal ChatLoad(IPEndPoint server, ChatDialect dialect, int payloadBytes, TimeProvider time)
    {
        _server = server;
        _dialect = dialect;
        _time = time;
        _payloadBytes = payloadBytes;
        _nanosecondsPerTick = 1e9 / time.TimestampFrequency;
        var before = dialect.Before("sender", payloadBytes);
        _message = [.. before, Mark, .. Enumerable.Repeat((byte)'x', payloadBytes - 1), .. dialect.After];
        _numberAt = before.Length + 1;
    }

    internal LatencyHistogram Latency { get; } = new();

    internal long Delivered { get; private set; }

    internal long Faults { get; private set; }

    /// <summary>Messages sent so far.</summary>
    internal long Sent => _sent;

    /// <summary>Connects members, and waits until the server has let all of them in.</summary>
    internal void Enter(int members, bool withStalledMember)
    {
        for (var i = 0; i < members; i++) Open(_dialect.Enter(FormattableString.Invariant($"m{i}")));
        _sender = Open(_dialect.EnterAsSender("sender"));
        // A member that never reads is not even looked at.
        if (withStalledMember) Open(_dialect.Enter("stalled"));
        var started = _time.GetTimestamp();
        while (_entering > 0)
        {
            Turn(WaitMilliseconds);
            if (_time.GetElapsedTime(started) > ConnectWithin) throw new MooringBenchException($"{_entering} members did not get into the room");
        }
        if (withStalledMember) _set.Remove(_connections[^1].Descriptor);
        // Whoever announces members still does so for a moment.
        var quiet = _time.GetTimestamp();
        while (_time.GetElapsedTime(quiet) < QuietTime)
            if (Turn(WaitMilliseconds)) quiet = _time.GetTimestamp();
        foreach (var connection in _connections) connection.Rest = [];
        _isMeasuring = true;
    }

    /// <summary>Queues a message; <see cref="Flush"/> sends.</summary>
    internal void Send(long now)
    {
        var space = _message.AsSpan(_numberAt, SequenceDigits);
        Utf8Formatter.TryFormat(_sent + 1, space, out _, new System.Buffers.StandardFormat('x', SequenceDigits));
        _message.CopyTo(_sender.Append(_message.Length));
        _sentAt[(_sent + 1) % SentTimes] = now;
        _sent++;
    }

    internal bool Flush()
    {
        var isDone = _sender.Flush();
        if (isDone != _sender.IsArmedForOutput) return isDone;
        _sender.IsArmedForOutput = !isDone;
        _set.Modify(_sender.Descriptor, isDone ? LibC.EventIn : LibC.EventIn | LibC.EventOut, (ulong)_sender.Index);
        return isDone;
    }

    internal bool HasOutput => _sender.HasOutput;

    /// <summary>One turn; returns whether anything was ready.</summary>
    internal bool Turn(int timeoutMilliseconds)
    {
        var ready = _set.Wait(timeoutMilliseconds);
        for (var i = 0; i < ready; i++)
        {
            var connection = _connections[(int)_set.Key(i)];
            if ((_set.Events(i) & LibC.EventOut) != 0) Flush();
            if ((_set.Events(i) & ~LibC.EventOut) != 0) Read(connection);
        }
        return ready > 0;
    }

    public void Dispose()
    {
        foreach (var connection in _connections) connection.Dispose();
        _set.Dispose();
        NativeMemory.Free(_buffer);
    }

    private LoadConnection Open(byte[] hello)
    {
        var started = _time.GetTimestamp();
        while (_entering >= ConnectsInFlight)
        {
            Turn(WaitMilliseconds);
            if (_time.GetElapsedTime(started) > ConnectWithin) throw new MooringBenchException($"{_entering} members did not get into the room");
        }
        LoadConnection connection;
        try
        {
            connection = new LoadConnection(_connections.Count, _server);
        }
        catch (System.Net.Sockets.SocketException exception)
        {
            throw new MooringBenchException($"Cannot connect to {_server}: {exception.Message}");
        }
        _connections.Add(connection);
        _expected.Add(1);
        _set.Add(connection.Descriptor, LibC.EventIn, (ulong)connection.Index);
        hello.CopyTo(connection.Append(hello.Length));
        connection.Flush();
        _entering++;
        return connection;
    }

    private void Read(LoadConnection connection)
    {
        var rest = connection.Rest.Length;
        connection.Rest.CopyTo(new Span<byte>(_buffer, rest));
        var read = LibC.Receive(connection.Descriptor, _buffer + rest, ReadBytes, LibC.DoNotWaitNoSignal);
        if (read <= 0)
        {
            if (read < 0 && LibC.LastError is LibC.ErrorTryAgain or LibC.ErrorInterrupted) return;
            throw new MooringBenchException($"The server closed connection {connection.Index}.");
        }
        var bytes = new ReadOnlySpan<byte>(_buffer, rest + (int)read);
        if (!_isMeasuring) OnEntering(connection, bytes);
        else if (connection != _sender) OnRecords(connection, bytes);
    }

    private void OnEntering(LoadConnection connection, ReadOnlySpan<byte> bytes)
    {
        if (!connection.IsConnected && _dialect.HasEntered(bytes))
        {
            connection.IsConnected = true;
            _entering--;
        }
        connection.Rest = connection.IsConnected || bytes.Length > RestBytesMax ? [] : bytes.ToArray();
    }

    private void OnRecords(LoadConnection connection, ReadOnlySpan<byte> bytes)
    {
        var now = _time.GetTimestamp();
        if (_recordBefore < 0) _recordBefore = bytes.IndexOf(Mark);
        var recordBytes = _recordBefore + _payloadBytes + _dialect.After.Length;
        var expected = _expected[connection.Index];
        while (bytes.Length >= recordBytes && _recordBefore >= 0)
        {
            var isNumber = Utf8Parser.TryParse(bytes.Slice(_recordBefore + 1, SequenceDigits), out uint number, out _, 'x');
            if (!isNumber || number != expected) Faults++;
            expected = number + 1;
            Latency.Record((long)((now - _sentAt[number % SentTimes]) * _nanosecondsPerTick));
            Delivered++;
            bytes = bytes[recordBytes..];
        }
        _expected[connection.Index] = expected;
        connection.Rest = bytes.IsEmpty ? [] : bytes.ToArray();
    }
}
