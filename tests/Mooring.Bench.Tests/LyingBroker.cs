using System.Net;
using System.Runtime.Versioning;
using Mooring.Mqtt.Broker.Transports.Epoll;

namespace Mooring.Bench.Tests;

/// <summary>Accepts everything and sends each PUBLISH to the first subscriber, after <c>tamper</c> had its way with the number of copies.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LyingBroker : IDisposable
{
    private readonly EpollTransport _transport;
    private readonly Func<int, int> _copies;
    private EpollConnection? _subscriber;
    private int _published;

    internal LyingBroker(Func<int, int> copies)
    {
        _copies = copies;
        _transport = new EpollTransport(
            new IPEndPoint(IPAddress.Loopback, 0), new EpollOptions(), TimeProvider.System, connection => new Handler(this, connection));
        _transport.Start();
    }

    internal int Port => _transport.LocalEndPoint.Port;

    public void Dispose() => _transport.Dispose();

    private sealed class Handler(LyingBroker broker, EpollConnection connection) : IEpollHandler
    {
        public int OnReceived(ReadOnlyMemory<byte> bytes)
        {
            var used = 0;
            while (bytes.Length - used >= 2)
            {
                var at = bytes.Span[used..];
                if (at[1] >= 0x80 && at.Length < 3) break;
                var header = at[1] < 0x80 ? 2 : 3;
                var length = header + (at[1] & 0x7F) + (header == 3 ? at[2] << 7 : 0);
                if (at.Length < length) break;
                Answer(at[..length], header);
                used += length;
            }
            connection.RequestFlush();
            return used;
        }

        public void OnDrained()
        {
        }

        public void OnClosed()
        {
        }

        private void Answer(ReadOnlySpan<byte> packet, int header)
        {
            switch (packet[0] & 0xF0)
            {
                case 0x10:
                    connection.Write([0x20, 2, 0, 0]);
                    break;
                case 0x80:
                    connection.Write([0x90, 3, packet[header], packet[header + 1], 0]);
                    broker._subscriber = connection;
                    break;
                case 0x30:
                    for (var copies = broker._copies(broker._published++); copies > 0; copies--) broker._subscriber!.Write(packet);
                    broker._subscriber!.RequestFlush();
                    break;
            }
        }
    }
}
