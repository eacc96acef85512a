using System.Net;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;

namespace Mooring.Mqtt.Broker;

/// <summary>One address where clients connect.</summary>
public sealed record MqttListener
{
    /// <summary>Address and port; port 0 lets the system choose.</summary>
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>What carries MQTT there; default TCP.</summary>
    public MqttTransport Transport { get; init; }

    /// <summary>Certificate and key of the server, and the authorities of its clients; for TLS and secure WebSocket.</summary>
    public TlsFiles? Tls { get; init; }

    /// <summary>Whether clients show certificates; default: they are not asked.</summary>
    public ClientCertificates ClientCertificates { get; init; }

    /// <summary>Which part of a client's certificate is its user name; default the common name.</summary>
    public CertificateIdentity CertificateIdentity { get; init; }

    /// <summary>
    /// Whether clients without a user name and a certificate are let in; allowed on loopback addresses only. Null, the default: on
    /// loopback addresses as long as there is no users file.
    /// </summary>
    public bool? Anonymous { get; init; }

    /// <summary>Connections open at a time; default 100,000. Further ones are closed at once.</summary>
    public int MaximumConnections { get; init; } = 100_000;

    /// <summary>Path of the WebSocket; default <c>/mqtt</c>.</summary>
    public string Path { get; init; } = "/mqtt";

    /// <summary>
    /// Origins of web pages, such as <c>https://console.example.com</c>, that may use the WebSocket although clients may be anonymous
    /// there; <c>*</c> for all. Pages of this machine may in any case. Without this rule, any page that somebody on this machine looks
    /// at could talk to the broker.
    /// </summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    internal bool IsLoopback => IPAddress.IsLoopback(EndPoint.Address);

    internal bool IsSecure => Transport is MqttTransport.Tls or MqttTransport.SecureWebSocket;

    internal bool IsWebSocket => Transport is MqttTransport.WebSocket or MqttTransport.SecureWebSocket;

    /// <summary>A plain TCP listener.</summary>
    /// <param name="endPoint">Address and port.</param>
    public static implicit operator MqttListener(IPEndPoint endPoint) => FromIPEndPoint(endPoint);

    /// <summary>A plain TCP listener.</summary>
    /// <param name="endPoint">Address and port.</param>
    /// <returns>The listener.</returns>
    public static MqttListener FromIPEndPoint(IPEndPoint endPoint) => new() { EndPoint = endPoint };

    internal void Validate(OptionsErrors errors, string key, bool hasUsers, TimeProvider time)
    {
        errors.Require(
            IsLoopback || Anonymous is not true, key, EndPoint, "anonymous clients are accepted on loopback addresses only");
        errors.Require(
            IsLoopback || Anonymous is true || hasUsers || ClientCertificates == ClientCertificates.Required, key, EndPoint,
            "anonymous clients are accepted on loopback addresses only: give a users file, or require client certificates");
        errors.Require(MaximumConnections > 0, key + ".maximumConnections", MaximumConnections, "use 1 or more");
        errors.Require(
            !IsWebSocket || (Path.StartsWith('/') && !Path.AsSpan().ContainsAny('?', '#', ' ')), key + ".path", Path,
            "use a path that begins with '/'");
        if (IsSecure) ValidateTls(errors, key, time);
        else errors.Require(ClientCertificates == ClientCertificates.NotAsked, key, EndPoint, "client certificates need TLS");
    }

    private void ValidateTls(OptionsErrors errors, string key, TimeProvider time)
    {
        if (Tls?.Certificate is null)
        {
            errors.Add(key, EndPoint, "TLS needs a certificate and its key");
            return;
        }
        errors.Require(
            ClientCertificates == ClientCertificates.NotAsked || Tls.Authorities is not null, key, EndPoint,
            "client certificates need the authorities (CA) that they come from");
        try
        {
            PemFiles.Load(Tls, time.GetUtcNow()).Certificate?.Dispose();
        }
        catch (TlsMaterialException exception)
        {
            errors.Add(key, exception.Message);
        }
    }
}
