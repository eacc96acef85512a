using Mooring.Kernel.Options;

namespace Mooring.Tunnel.Server;

/// <summary>Bounds of a tunnel server, each with the reason for its default.</summary>
public sealed record TunnelServerLimits
{
    /// <summary>Until a client has sent its first message. Default 10 s: a few round trips on a bad line.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between signs of life that clients are asked for. Default 30 s, below the idle time of common NATs.</summary>
    public TimeSpan HeartbeatPeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Silence after which a client is taken for dead. Default 95 s: three heartbeats.</summary>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromSeconds(95);

    /// <summary>Until a trusted proxy has sent its PROXY header. Default 5 s: it is sent at once, with the connection.</summary>
    public TimeSpan ProxyHeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Until the head of a response must have come. Default 30 s, then the visitor gets 504.</summary>
    public TimeSpan FirstByteTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between bytes of a body in either direction. Default 60 s; event streams send comments more often.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A TCP connection or WebSocket without any byte. Default 10 min.</summary>
    public TimeSpan ConnectionIdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Bytes that each direction of a stream may be ahead. Default 512 KiB: keeps a fast line busy, and a slow visitor holds no more than this.</summary>
    public int StreamWindowBytes { get; init; } = 512 * 1024;

    /// <summary>Bytes of a session that may wait for visitors before the server reads no more of it; only without windows. Default 16 MiB.</summary>
    public int SessionBufferBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Visitors' request header bytes. Default 32 KiB.</summary>
    public int HeaderBytesMax { get; init; } = 32 * 1024;

    /// <summary>Visitors' request header fields. Default 100.</summary>
    public int HeaderFieldsMax { get; init; } = 100;

    /// <summary>Visitors' connections to a TCP tunnel at a time. Default 100.</summary>
    public int TcpConnectionsMax { get; init; } = 100;

    /// <summary>Visitors' new connections to a TCP tunnel in a second. Default 200.</summary>
    public int TcpConnectionsPerSecond { get; init; } = 200;

    /// <summary>Attempts to connect a client from one address in a minute. Default 600; loopback is not counted.</summary>
    public int HandshakesPerMinute { get; init; } = 600;

    /// <summary>Clients connected from one address at a time. Default 1000: the machines of an office behind one NAT; loopback is not counted.</summary>
    public int SessionsPerAddress { get; init; } = 1000;

    /// <summary>Registrations from one address in an hour. Default 5; loopback is not counted.</summary>
    public int RegistrationsPerHour { get; init; } = 5;

    /// <summary>Wrong tokens from one address in a minute, after which it has to wait. Default 20; loopback is not counted.</summary>
    public int FailuresPerMinute { get; init; } = 20;

    /// <summary>How long a name stays with its account after its tunnel ended. Default 120 s.</summary>
    public TimeSpan NameGrace { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How long open streams may go on when the server stops. Default 2 s: a container engine kills after 10.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(2);

    internal void Validate(OptionsErrors errors)
    {
        errors.RequireInRange("stream-window", StreamWindowBytes, 16 * 1024, 64 * 1024 * 1024);
        errors.RequireInRange("first-byte-timeout", FirstByteTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        errors.RequireInRange("idle-timeout", IdleTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1));
    }
}
