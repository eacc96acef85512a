using System.Net;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using Mooring.Mqtt;
using Mooring.Mqtt.Client;

namespace Mooring.Benchmarks;

/// <summary>The client alone, over loopback TCP: its peer only acknowledges, or only sends.</summary>
[MemoryDiagnoser]
public class MqttClientBenchmarks
{
    private const int Messages = 100_000;

    private readonly SemaphoreSlim _received = new(0);
    private readonly MqttMessage _qos0 = Message(QualityOfService.AtMostOnce);
    private readonly MqttMessage _qos1 = Message(QualityOfService.AtLeastOnce);
    private AcknowledgingPeer _peer = null!;
    private MqttClient _client = null!;
    private int _left;

    [GlobalSetup]
    public async Task StartAsync()
    {
        _peer = new AcknowledgingPeer();
        _client = new MqttClient(new MqttClientOptions { Server = _peer.Address, Version = MqttVersion.V311, KeepAlive = TimeSpan.Zero });
        await _client.StartAsync(CancellationToken.None);
        await _client.SubscribeAsync(new MqttSubscription("company/car_17/module_gateway", QualityOfService.AtMostOnce), (_, _) =>
        {
            if (--_left == 0) _received.Release();
            return default;
        });
    }

    [GlobalCleanup]
    public async Task StopAsync()
    {
        await _client.DisposeAsync();
        _peer.Dispose();
    }

    /// <summary>Many messages of QoS 0, each awaited only as far as the queue.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task PublishQos0()
    {
        for (var i = 0; i < Messages; i++) await _client.EnqueueAsync(_qos0);
    }

    /// <summary>Many messages of QoS 1, pipelined as the window allows.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task PublishQos1()
    {
        for (var i = 0; i < Messages; i++) await _client.EnqueueAsync(_qos1);
        await _client.PublishAsync(_qos1);
    }

    /// <summary>One message of QoS 1 after the other, each acknowledged.</summary>
    [Benchmark(OperationsPerInvoke = 1000)]
    public async Task PublishQos1OneByOne()
    {
        for (var i = 0; i < 1000; i++) await _client.PublishAsync(_qos1);
    }

    /// <summary>From the socket to the handler.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task Receive()
    {
        _left = Messages;
        _peer.Send(Messages);
        await _received.WaitAsync();
    }

    private static MqttMessage Message(QualityOfService qos) =>
        new() { Topic = "company/car_17/module_gateway", Payload = new byte[100], QualityOfService = qos };

    /// <summary>Acknowledges PUBLISH and SUBSCRIBE of 3.1.1 without allocating; one connection.</summary>
    private sealed class AcknowledgingPeer : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly byte[] _output = new byte[64 * 1024];
        private Socket? _socket;
        private int _outputLength;

        internal AcknowledgingPeer()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen();
            new Thread(Run) { IsBackground = true }.Start();
        }

        internal Uri Address => new($"mqtt://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}");

        internal void Send(int messages)
        {
            byte[] publish = [0x30, 131, 1, 0, 29, .. "company/car_17/module_gateway"u8, .. new byte[100]];
            var batch = new byte[publish.Length * 100];
            for (var i = 0; i < 100; i++) publish.CopyTo(batch.AsSpan(i * publish.Length));
            for (var i = 0; i < messages; i += 100) _socket!.Send(batch);
        }

        public void Dispose()
        {
            _socket?.Dispose();
            _listener.Dispose();
        }

        private void Run()
        {
            _socket = _listener.Accept();
            _socket.NoDelay = true;
            var input = new byte[256 * 1024];
            var length = 0;
            try
            {
                while (_socket.Receive(input.AsSpan(length)) is var read and > 0)
                {
                    length += read;
                    var used = Answer(input.AsSpan(0, length));
                    input.AsSpan(used, length - used).CopyTo(input);
                    length -= used;
                    Flush();
                }
            }
            catch (SocketException)
            {
                // The benchmark is over.
            }
        }

        private int Answer(ReadOnlySpan<byte> input)
        {
            var used = 0;
            while (TryTake(input[used..], out var packet, out var body))
            {
                used += packet;
                var first = input[used - packet];
                switch (first >> 4)
                {
                    case 1:
                        Write([0x20, 2, 0, 0]);
                        break;
                    case 3 when (first & 0x06) != 0:
                        var id = 2 + (body[0] << 8) + body[1];
                        Write([0x40, 2, body[id], body[id + 1]]);
                        break;
                    case 8:
                        Write([0x90, 3, body[0], body[1], 0]);
                        break;
                }
            }
            return used;
        }

        private static bool TryTake(ReadOnlySpan<byte> input, out int packet, out ReadOnlySpan<byte> body)
        {
            packet = 0;
            body = default;
            int remaining = 0, at = 1;
            for (var shift = 0; ; shift += 7)
            {
                if (at >= input.Length) return false;
                remaining |= (input[at] & 0x7F) << shift;
                if ((input[at++] & 0x80) == 0) break;
            }
            packet = at + remaining;
            if (input.Length < packet) return false;
            body = input[at..packet];
            return true;
        }

        private void Write(ReadOnlySpan<byte> bytes)
        {
            if (_outputLength + bytes.Length > _output.Length) Flush();
            bytes.CopyTo(_output.AsSpan(_outputLength));
            _outputLength += bytes.Length;
        }

        private void Flush()
        {
            if (_outputLength > 0) _socket!.Send(_output.AsSpan(0, _outputLength));
            _outputLength = 0;
        }
    }
}
