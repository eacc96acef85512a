using System.Globalization;
using System.Text;
using Mooring.Mqtt.Broker.Access;
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

        try
        {
            Admit(frame);
        }
        catch (MqttProtocolException exception)
        {
            var level = ConnectView.RequestedLevel(frame);
            // Bridges of mosquitto set the highest bit, and try without it when they understand the refusal.
            Version = (level & 0x7F) >= (byte)MqttVersion.V500 ? MqttVersion.V500 : MqttVersion.V311;
            if (level is not null && (exception.Reason == MqttReasonCode.UnsupportedProtocolVersion || Version == MqttVersion.V500))
            {
                Refuse(exception.Reason);
            }

            throw;
        }
    }

    private void Admit(in MqttFrame frame)
    {
        var connect = ConnectView.Read(frame);
        Version = connect.Version;
        var settings = ReadSettings(connect);
        if (CheckIdentity(connect) is { } refusal)
        {
            Refuse(refusal);
            End(null);
            return;
        }

        var isAssigned = connect.ClientId.IsEmpty;
        var request = new ConnectRequest(
            isAssigned ? "mooring-" + Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture) : Encoding.UTF8.GetString(connect.ClientId),
            isAssigned,
            connect.CleanStart,
            settings.ExpirySeconds,
            broker.CapExpiry(Version == MqttVersion.V500 ? settings.ExpirySeconds : connect.CleanStart ? 0 : uint.MaxValue),
            connect.HasWill ? ReadWill(connect) : null,
            HasAllowedKeepAlive(connect) ? null : _limits.KeepAliveMaximum);
        _keepAliveMilliseconds = (request.ServerKeepAlive ?? connect.KeepAliveSeconds) * 1000L;

        var user = connect.HasUserName ? Encoding.UTF8.GetString(connect.UserName) : null;
        var verdict = broker.Access.Judge(entrance, user, connect.Password, out var name);
        if (verdict == MqttReasonCode.ContinueAuthentication)
        {
            // A password check takes as long as thousands of packets: not on this thread.
            Pause(PauseReasons.Password);
            _ = CheckPasswordAsync(request, user!, connect.Password.ToArray());
            return;
        }

        Decide(request, name, verdict);
    }

    private async Task CheckPasswordAsync(ConnectRequest request, string user, byte[] password)
    {
        var verdict = PasswordVerdict.Busy;
        try
        {
            verdict = await broker.Access.CheckAsync(user, password, RemoteEndPoint, () => broker.Now, () => !_isOver).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The broker stops; the client is told so.
        }

        Decide(request, user, verdict switch
        {
            PasswordVerdict.Right => MqttReasonCode.Success,
            PasswordVerdict.Wrong => MqttReasonCode.BadUserNameOrPassword,
            PasswordVerdict.TooManyFailed => MqttReasonCode.ConnectionRateExceeded,
            _ => MqttReasonCode.ServerBusy,
        });
        Resume(PauseReasons.Password);
    }

    /// <summary>Lets the client in, or tells it why not. The caller is the only one that handles this connection's input.</summary>
    private void Decide(ConnectRequest request, string? name, MqttReasonCode verdict)
    {
        if (_isOver)
        {
            return;
        }

        var identity = new Identity(request.ClientId, name);
        var permissions = broker.Access.PermissionsOf(identity);
        if (verdict == MqttReasonCode.Success
            && request.Will is { } will && permissions is not null && !permissions.MayPublish(will.Message.Topic))
        {
            verdict = MqttReasonCode.NotAuthorized;
        }

        if (verdict != MqttReasonCode.Success)
        {
            broker.Log.Refused(output.RemoteEndPoint, request.ClientId, name, verdict);
            Refuse(verdict);
            End(null);
            return;
        }

        Permissions = permissions;
        Enter(request, identity);
    }

    private void Enter(ConnectRequest request, Identity identity)
    {
        if (broker.TakeOver(identity, request.CleanStart, this, request.Expiry, request.Will, out var present) is not { } session)
        {
            Refuse(MqttReasonCode.ServerBusy);
            End(null);
            return;
        }

        HoldOutputFor(session);
        var isAnswered = TryWriteConnAck(present, request);
        var isGone = false;
        lock (_gate)
        {
            _session = session;
            _will = request.Will;
            isGone = _hasLeft;
        }

        // The connection may have ended while its password was checked; then the session is left like any other.
        if (isGone)
        {
            broker.Closed(this, session, _will);
            return;
        }

        if (!isAnswered)
        {
            End(null);
            return;
        }

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
                case PropertyId.TopicAliasMaximum when properties.Number > 0 && _limits.OutboundTopicAliases > 0:
                    _outboundAliases = new OutboundAliases((ushort)Math.Min(properties.Number, _limits.OutboundTopicAliases));
                    break;
                case PropertyId.AuthenticationMethod:
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
        // 3.1.1: without an identifier there is no session to keep (MQTT-3.1.3-8); 3.1 asks for one in any case.
        if (connect.ClientId.IsEmpty && (Version == MqttVersion.V310 || (Version == MqttVersion.V311 && !connect.CleanStart)))
        {
            return MqttReasonCode.ClientIdentifierNotValid;
        }

        // 3.1.1 has no way to tell the client another keep-alive.
        if (Version != MqttVersion.V500 && !HasAllowedKeepAlive(connect))
        {
            return MqttReasonCode.ClientIdentifierNotValid;
        }

        if (connect.ClientId.Length > _limits.ClientIdBytes || (Version == MqttVersion.V310 && connect.ClientId.Length > 23))
        {
            return MqttReasonCode.ClientIdentifierNotValid;
        }

        // They would be shown in logs and lists.
        if (!IsText(connect.ClientId) || !IsText(connect.UserName))
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

        ExpectText(connect.WillTopic);
        var allowed = CheckTopic(connect.WillTopic);
        return allowed == MqttReasonCode.Success ? null : allowed;
    }

    private bool HasAllowedKeepAlive(in ConnectView connect) =>
        _limits.KeepAliveMaximum == ushort.MaxValue
        || (connect.KeepAliveSeconds > 0 && connect.KeepAliveSeconds <= _limits.KeepAliveMaximum);

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
                case PropertyId.ResponseTopic when !TopicName.IsValid(properties.Bytes):
                    MqttProtocolException.ThrowProtocolError("the response topic of the will is empty or holds a wildcard");
                    break;
            }
        }

        var message = RoutedMessage.Create(
            connect.WillTopic, connect.WillPayload, connect.WillQualityOfService, connect.WillRetain, Forwardable(connect.WillProperties));
        return new Will(message, expiry, delay);
    }

    /// <summary>Only what differs from the defaults (MQTT-3.2.2.3). False when the client takes no packet of that size (MQTT-3.1.2-24).</summary>
    private bool TryWriteConnAck(bool present, ConnectRequest request)
    {
        var scratch = Scratch();
        var properties = new PropertyWriter();
        if (Version == MqttVersion.V500)
        {
            if (request.IsAssigned)
            {
                properties.WriteText(PropertyId.AssignedClientIdentifier, request.ClientId);
            }

            if (request.AskedExpiry != request.Expiry)
            {
                properties.WriteUInt32(PropertyId.SessionExpiryInterval, request.Expiry);
            }

            if (request.ServerKeepAlive is { } keepAlive)
            {
                properties.WriteUInt16(PropertyId.ServerKeepAlive, keepAlive);
            }

            properties.WriteUInt16(PropertyId.ReceiveMaximum, _limits.InboundReceiveMaximum);
            properties.WriteUInt16(PropertyId.TopicAliasMaximum, _limits.InboundTopicAliases);
            properties.WriteUInt32(PropertyId.MaximumPacketSize, (uint)_limits.MaximumPacketBytes);
        }

        MqttPackets.WriteConnAck(scratch, Version, present, MqttReasonCode.Success, properties.Written);
        if (scratch.WrittenCount > _maximumPacketBytes)
        {
            return false;
        }

        Write(scratch);
        return true;
    }

    private void Refuse(MqttReasonCode reason)
    {
        var scratch = Scratch();
        MqttPackets.WriteConnAck(scratch, Version, false, reason, default);
        Write(scratch);
    }
}
