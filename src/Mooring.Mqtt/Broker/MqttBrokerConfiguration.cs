using System.Net;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;
using Mooring.Mqtt.Broker.Access;

namespace Mooring.Mqtt.Broker;

/// <summary>Reads the broker's options from a JSON file. Paths in it are relative to its folder.</summary>
public static class MqttBrokerConfiguration
{
    private const int ListenersMax = 64;
    private const int OriginsMax = 100;
    private const int PortMax = 65_535;

    /// <summary>Reads a file; what is wrong with its values goes to <paramref name="errors"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="errors">Where errors go.</param>
    /// <returns>The options, not yet validated.</returns>
    /// <exception cref="ConfigurationException">The file cannot be read or is not JSON.</exception>
    public static MqttBrokerOptions Load(string path, OptionsErrors errors)
    {
        var root = JsonReading.Load(path, errors, JsonLeniency.Comments);
        if (!root.ExpectObject()) return new MqttBrokerOptions();
        root.ReportUnknown(asWarning: false, "listeners", "usersFile", "accessFile", "access", "ioThreads", "controlCharacters", "sysPeriodSeconds", "limits");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var standard = new MqttBrokerOptions();
        var listeners = root["listeners"];
        return new MqttBrokerOptions
        {
            Listeners = listeners.Exists
                ? [.. listeners.Items(ListenersMax).Select(item => ReadListener(item, folder)).OfType<MqttListener>()]
                : standard.Listeners,
            UsersFile = ReadPath(root["usersFile"], folder),
            AccessFile = ReadPath(root["accessFile"], folder),
            AccessRules = root["access"].Exists ? AccessFiles.ParseRules(root["access"]) : null,
            IoThreads = root["ioThreads"].Int(standard.IoThreads, 1, 64),
            ControlCharacters = root["controlCharacters"].Bool(standard.ControlCharacters),
            SystemTopicsPeriod = root["sysPeriodSeconds"].Seconds(standard.SystemTopicsPeriod, TimeSpan.Zero, TimeSpan.FromDays(1)),
            Limits = ReadLimits(root["limits"]),
        };
    }

    private static MqttListener? ReadListener(JsonReading item, string folder)
    {
        if (!item.ExpectObject()) return null;
        item.ReportUnknown(
            asWarning: false, "transport", "address", "port", "certificate", "key", "ca", "crl", "clientCertificates", "identity",
            "anonymous", "maximumConnections", "path", "origins");
        var transport = item["transport"].OneOf("tcp", "tcp", "tls", "ws", "wss") switch
        {
            "tls" => MqttTransport.Tls,
            "ws" => MqttTransport.WebSocket,
            "wss" => MqttTransport.SecureWebSocket,
            _ => MqttTransport.Tcp,
        };
        var address = item["address"].Text("127.0.0.1");
        if (!TryAddress(address, out var parsed))
            item.Errors.Add(item["address"].Path, address, "use an IP address, localhost, or * for all");
        var listener = new MqttListener
        {
            EndPoint = new IPEndPoint(parsed, item["port"].Int(StandardPort(transport), 0, PortMax)),
            Transport = transport,
            Tls = item["certificate"].Exists || item["key"].Exists || item["ca"].Exists || item["crl"].Exists
                ? new TlsFiles
                {
                    Certificate = ReadPath(item["certificate"], folder),
                    Key = ReadPath(item["key"], folder),
                    Authorities = ReadPath(item["ca"], folder),
                    Revocations = ReadPath(item["crl"], folder),
                }
                : null,
            ClientCertificates = item["clientCertificates"].OneOf("none", "none", "optional", "required") switch
            {
                "optional" => ClientCertificates.Optional,
                "required" => ClientCertificates.Required,
                _ => ClientCertificates.NotAsked,
            },
            CertificateIdentity = item["identity"].OneOf("cn", "cn", "san") == "san"
                ? CertificateIdentity.AlternativeName
                : CertificateIdentity.CommonName,
            Anonymous = item["anonymous"].Exists ? item["anonymous"].Bool(false) : null,
        };
        return listener with
        {
            MaximumConnections = item["maximumConnections"].Int(listener.MaximumConnections, 1),
            Path = item["path"].Text(listener.Path),
            Origins = [.. item["origins"].Items(OriginsMax).Select(origin => origin.RequiredText())],
        };
    }

    /// <summary>The port that is usual for a transport.</summary>
    /// <param name="transport">The transport.</param>
    public static int StandardPort(MqttTransport transport) => transport switch
    {
        MqttTransport.Tls => 8883,
        MqttTransport.WebSocket => 8083,
        MqttTransport.SecureWebSocket => 8084,
        _ => 1883,
    };

    private static bool TryAddress(string text, out IPAddress address)
    {
        address = IPAddress.Loopback;
        if (text == "localhost") return true;
        if (text == "*")
        {
            address = IPAddress.Any;
            return true;
        }
        var isAddress = IPAddress.TryParse(text, out var parsed);
        address = parsed ?? address;
        return isAddress;
    }

    private static string? ReadPath(JsonReading place, string folder) =>
        place.OptionalText() is { Length: > 0 } path ? Path.Combine(folder, path) : null;

    private static MqttBrokerLimits ReadLimits(JsonReading limits)
    {
        var standard = new MqttBrokerLimits();
        if (!limits.ExpectObject()) return standard;
        limits.ReportUnknown(
            asWarning: false, "connectDeadlineSeconds", "firstPacketBytes", "passwordChecks", "passwordChecksWaiting",
            "recognisedPasswords", "failedLoginsPerMinute", "maximumPacketBytes", "clientIdBytes", "topicBytes", "topicLevels", "inboundReceiveMaximum",
            "outboundWindow", "outboundWindowMaximum", "queuedMessages", "queuedBytes", "queuedBytesTotal", "publisherHoldSeconds", "outboundBufferBytes", "stalledForSeconds",
            "subscriptionsPerSession", "subscriptions", "filtersPerPacket", "inboundTopicAliases", "outboundTopicAliases", "keepAliveMaximum", "messagesPerSecond",
            "waitingWills", "sessions", "sessionExpirySeconds", "connectionsPerAddress", "memoryBytes", "retainedMessages",
            "retainedBytes", "cachedRoutes", "localQueuedMessages", "localQueuedBytes");
        var year = TimeSpan.FromDays(365);
        return new MqttBrokerLimits
        {
            ConnectDeadline = limits["connectDeadlineSeconds"].Seconds(standard.ConnectDeadline, TimeSpan.FromSeconds(1), year),
            FirstPacketBytes = limits["firstPacketBytes"].Int(standard.FirstPacketBytes),
            PasswordChecks = limits["passwordChecks"].Int(standard.PasswordChecks),
            PasswordChecksWaiting = limits["passwordChecksWaiting"].Int(standard.PasswordChecksWaiting),
            RecognisedPasswords = limits["recognisedPasswords"].Int(standard.RecognisedPasswords),
            FailedLoginsPerMinute = limits["failedLoginsPerMinute"].Int(standard.FailedLoginsPerMinute),
            MaximumPacketBytes = limits["maximumPacketBytes"].Int(standard.MaximumPacketBytes),
            ClientIdBytes = limits["clientIdBytes"].Int(standard.ClientIdBytes),
            TopicBytes = limits["topicBytes"].Int(standard.TopicBytes),
            TopicLevels = limits["topicLevels"].Int(standard.TopicLevels),
            InboundReceiveMaximum = Short(limits["inboundReceiveMaximum"], standard.InboundReceiveMaximum),
            OutboundWindow = Short(limits["outboundWindow"], standard.OutboundWindow),
            OutboundWindowMaximum = Short(limits["outboundWindowMaximum"], standard.OutboundWindowMaximum),
            QueuedMessages = limits["queuedMessages"].Int(standard.QueuedMessages),
            QueuedBytes = limits["queuedBytes"].Long(standard.QueuedBytes),
            QueuedBytesTotal = limits["queuedBytesTotal"].Long(standard.QueuedBytesTotal),
            OutboundBufferBytes = limits["outboundBufferBytes"].Int(standard.OutboundBufferBytes),
            PublisherHold = limits["publisherHoldSeconds"].Seconds(standard.PublisherHold, TimeSpan.Zero, TimeSpan.FromHours(1)),
            StalledFor = limits["stalledForSeconds"].Seconds(standard.StalledFor, TimeSpan.FromSeconds(1), year),
            SubscriptionsPerSession = limits["subscriptionsPerSession"].Int(standard.SubscriptionsPerSession),
            Subscriptions = limits["subscriptions"].Int(standard.Subscriptions),
            FiltersPerPacket = limits["filtersPerPacket"].Int(standard.FiltersPerPacket),
            InboundTopicAliases = Short(limits["inboundTopicAliases"], standard.InboundTopicAliases),
            OutboundTopicAliases = Short(limits["outboundTopicAliases"], standard.OutboundTopicAliases),
            KeepAliveMaximum = Short(limits["keepAliveMaximum"], standard.KeepAliveMaximum),
            MessagesPerSecond = limits["messagesPerSecond"].Int(standard.MessagesPerSecond),
            WaitingWills = limits["waitingWills"].Int(standard.WaitingWills),
            Sessions = limits["sessions"].Int(standard.Sessions),
            SessionExpiry = limits["sessionExpirySeconds"].Seconds(standard.SessionExpiry, TimeSpan.Zero, 10 * year),
            ConnectionsPerAddress = limits["connectionsPerAddress"].Int(standard.ConnectionsPerAddress),
            MemoryBytes = limits["memoryBytes"].Long(standard.MemoryBytes),
            RetainedMessages = limits["retainedMessages"].Int(standard.RetainedMessages),
            RetainedBytes = limits["retainedBytes"].Long(standard.RetainedBytes),
            CachedRoutes = limits["cachedRoutes"].Int(standard.CachedRoutes),
            LocalQueuedMessages = limits["localQueuedMessages"].Int(standard.LocalQueuedMessages),
            LocalQueuedBytes = limits["localQueuedBytes"].Long(standard.LocalQueuedBytes),
        };
    }

    private static ushort Short(JsonReading place, ushort standard) => (ushort)place.Int(standard, 0, ushort.MaxValue);
}
