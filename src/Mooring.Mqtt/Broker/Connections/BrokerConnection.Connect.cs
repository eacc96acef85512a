using System.Globalization;
using System.Text;
using Mooring.Mqtt.Broker.Routing;
using Mooring.Mqtt.Broker.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Broker.Connections;

/// <summary>CONNECT: validate, then take the session over (MQTT-3.1.4).</summary>
internal sealed partial class BrokerConnection
{
    private void Connect(in MqttFrame frame)
    {
        // Anything else first: close without an answer (MQTT-3.1.0-1).
        if (frame.Type != MqttPacketType.Connect)
        {
            End(null);
            return;
        }

        ConnectView connect;
        try
        {
            connect = ConnectView.Read(frame);
        }
        catch (MqttProtocolException exception)
        {
            var level = ConnectView.RequestedLevel(frame);
            Version = level >= (byte)MqttVersion.V500 ? MqttVersion.V500 : MqttVersion.V311;
            if (level is not null && (exception.Reason == MqttReasonCode.UnsupportedProtocolVersion || Version == MqttVersion.V500))
            {
                Refuse(exception.Reason);
            }

            throw;
        }

        Version = connect.Version;
        var settings = ReadSettings(connect);
        if (CheckIdentity(connect) is { } refusal)
        {
            Refuse(refusal);
            End(null);
            return;
        }

        var assigned = connect.ClientId.IsEmpty;
        var clientId = assigned
            ? "mooring-" + Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture)
            : Encoding.UTF8.GetString(connect.ClientId);
        _will = connect.HasWill ? ReadWill(connect) : null;
        _keepAliveMilliseconds = connect.KeepAliveSeconds * 1000L;

        var expiry = Version == MqttVersion.V500
            ? broker.CapExpiry(settings.ExpirySeconds)
            : connect.CleanStart ? 0 : broker.CapExpiry(uint.MaxValue);
        if (broker.TakeOver(clientId, connect.CleanStart, this, expiry, out var present) is not { } session)
        {
            _will = null;
            Refuse(MqttReasonCode.ServerBusy);
            End(null);
            return;
        }

        WriteConnAck(present, clientId, assigned, settings.ExpirySeconds, expiry);
        _session = session;
        session.Attach(this);
    }

    private readonly record struct ConnectSettings(uint ExpirySeconds);

    private ConnectSettings ReadSettings(in ConnectView connect)
    {
        var expiry = 0u;
        ushort? receiveMaximum = null;
        for (var properties = connect.Properties.Read(); properties.MoveNext();)
        {
            switch (properties.Id)
            {
                case PropertyId.SessionExpiryInterval:
                    expiry = properties.Number;
                    break;
                case PropertyId.ReceiveMaximum:
                    receiveMaximum = (ushort)properties.Number;
                    break;
                case PropertyId.MaximumPacketSize:
                    _maximumPacketBytes = properties.Number;
                    break;
                case PropertyId.AuthenticationMethod:
                    Refuse(MqttReasonCode.BadAuthenticationMethod);
                    MqttProtocolException.Throw(MqttReasonCode.BadAuthenticationMethod, "enhanced authentication is not offered");
                    break;
                case PropertyId.AuthenticationData:
                    MqttProtocolException.ThrowProtocolError("Authentication Data without a method");
                    break;
            }
        }

        OutboundWindow = receiveMaximum is { } own ? Math.Min(own, _limits.OutboundWindowMaximum) : _limits.OutboundWindow;
        return new ConnectSettings(expiry);
    }

    private MqttReasonCode? CheckIdentity(in ConnectView connect)
    {
        // 3.1.1: without an identifier there is no session to keep (MQTT-3.1.3-8).
        if (connect.ClientId.IsEmpty && Version != MqttVersion.V500 && !connect.CleanStart)
        {
            return MqttReasonCode.ClientIdentifierNotValid;
        }

        if (connect.ClientId.Length > _limits.ClientIdBytes || (Version == MqttVersion.V310 && connect.ClientId.Length > 23))
        {
            return MqttReasonCode.ClientIdentifierNotValid;
        }

        if (!connect.HasWill)
        {
            return null;
        }

        if (!TopicName.IsValid(connect.WillTopic))
        {
            MqttProtocolException.Throw(MqttReasonCode.TopicNameInvalid, "the will's topic is empty or holds a wildcard");
        }

        var allowed = CheckTopic(connect.WillTopic);
        return allowed == MqttReasonCode.Success ? null : allowed;
    }

    private static Will ReadWill(in ConnectView connect)
    {
        uint? expiry = null;
        var delay = 0u;
        for (var properties = connect.WillProperties.Read(); properties.MoveNext();)
        {
            switch (properties.Id)
            {
                case PropertyId.MessageExpiryInterval:
                    expiry = properties.Number;
                    break;
                case PropertyId.WillDelayInterval:
                    delay = properties.Number;
                    break;
            }
        }

        var message = RoutedMessage.Create(
            connect.WillTopic, connect.WillPayload, connect.WillQualityOfService, connect.WillRetain, Forwardable(connect.WillProperties));
        return new Will(message, expiry, delay);
    }

    /// <summary>Only what differs from the defaults (MQTT-3.2.2.3).</summary>
    private void WriteConnAck(bool present, string clientId, bool assigned, uint asked, uint granted)
    {
        var scratch = Scratch();
        var properties = new PropertyWriter();
        if (Version == MqttVersion.V500)
        {
            if (assigned)
            {
                properties.WriteText(PropertyId.AssignedClientIdentifier, clientId);
            }

            if (asked != granted)
            {
                properties.WriteUInt32(PropertyId.SessionExpiryInterval, granted);
            }

            properties.WriteUInt16(PropertyId.ReceiveMaximum, _limits.InboundReceiveMaximum);
            properties.WriteUInt16(PropertyId.TopicAliasMaximum, _limits.InboundTopicAliases);
            properties.WriteUInt32(PropertyId.MaximumPacketSize, (uint)_limits.MaximumPacketBytes);
        }

        MqttPackets.WriteConnAck(scratch, Version, present, MqttReasonCode.Success, properties.Written);
        Write(scratch);
    }

    private void Refuse(MqttReasonCode reason)
    {
        var scratch = Scratch();
        MqttPackets.WriteConnAck(scratch, Version, false, reason, default);
        Write(scratch);
    }
}
