using System.Globalization;
using System.Text;
using Mooring.Mqtt.Client.Sessions;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Client.Connections;

/// <summary>What CONNACK said.</summary>
internal readonly record struct ConnAck(bool SessionPresent, ServerLimits Server);

/// <summary>CONNECT and CONNACK.</summary>
internal sealed partial class ClientConnection
{
    /// <summary>Sends CONNECT and awaits CONNACK.</summary>
    /// <exception cref="MqttRefusedException">The broker refused.</exception>
    /// <exception cref="MqttProtocolException">The broker answered something else.</exception>
    internal async Task<ConnAck> ShakeHandsAsync(string clientId, bool cleanStart, CancellationToken cancellationToken)
    {
        using (var output = new OutputBuffer())
        {
            WriteConnect(output, clientId, cleanStart);
            await _transport.Stream.WriteAsync(output.Written, cancellationToken).ConfigureAwait(false);
        }
        ConnAck? answer = null;
        await _reader.RunAsync(
            frame =>
            {
                answer = ReadConnAck(frame, cleanStart);
                return new ValueTask<bool>(false);
            },
            batchEnd: null, cancellationToken).ConfigureAwait(false);
        return answer ?? throw new IOException("the broker closed the connection without CONNACK");
    }

    /// <summary>Ends a connection whose handshake failed.</summary>
    internal async ValueTask AbandonAsync()
    {
        await _input.CompleteAsync().ConfigureAwait(false);
        await _transport.DisposeAsync().ConfigureAwait(false);
        _aborted.Dispose();
    }

    private ConnAck ReadConnAck(ReceivedFrame received, bool cleanStart)
    {
        var frame = FrameOf(received);
        if (frame.Type != MqttPacketType.ConnAck) MqttProtocolException.ThrowProtocolError($"{frame.Type} instead of CONNACK");
        var view = ConnAckView.Read(frame, _options.Version);
        var server = ServerLimits.Read(view.Properties);
        if (view.Reason != MqttReasonCode.Success)
        {
            var text = MessageProperties.ReasonText(view.Properties) ?? server.Reference;
            throw Refusals.Of(string.Create(CultureInfo.InvariantCulture, $"the connection to {_options.Server}"), view.Reason, text);
        }
        if (view.SessionPresent && cleanStart) MqttProtocolException.ThrowProtocolError("a session is present after a clean start");
        return new ConnAck(view.SessionPresent, server);
    }

    private void WriteConnect(OutputBuffer output, string clientId, bool cleanStart)
    {
        var properties = new PropertyWriter();
        var willProperties = new PropertyWriter();
        if (_options.Version == MqttVersion.V500)
        {
            WriteConnectProperties(properties);
            WriteWillProperties(willProperties);
        }
        var will = _options.Will?.Message;
        var credentials = _options.Credentials;
        MqttPackets.WriteConnect(output, new ConnectFields
        {
            Version = _options.Version,
            CleanStart = cleanStart,
            KeepAliveSeconds = (ushort)_options.KeepAlive.TotalSeconds,
            Properties = properties.Written,
            ClientId = Encoding.UTF8.GetBytes(clientId),
            HasWill = will is not null,
            WillQualityOfService = will?.QualityOfService ?? default,
            WillRetain = will?.Retain ?? false,
            WillProperties = willProperties.Written,
            WillTopic = Encoding.UTF8.GetBytes(will?.Topic ?? ""),
            WillPayload = will is null ? default : will.Payload.Span,
            HasUserName = credentials?.UserName is not null,
            UserName = Encoding.UTF8.GetBytes(credentials?.UserName ?? ""),
            HasPassword = credentials?.Password is not null,
            Password = Encoding.UTF8.GetBytes(credentials?.Password ?? ""),
        });
    }

    private void WriteConnectProperties(PropertyWriter output)
    {
        var limits = _options.Limits;
        if (_options.KeepsSession)
        {
            var expiry = _options.SessionExpiry == Timeout.InfiniteTimeSpan ? uint.MaxValue : (uint)_options.SessionExpiry.TotalSeconds;
            output.WriteUInt32(PropertyId.SessionExpiryInterval, expiry);
        }
        output.WriteUInt16(PropertyId.ReceiveMaximum, limits.ReceiveMaximum);
        output.WriteUInt32(PropertyId.MaximumPacketSize, (uint)limits.MaximumPacketBytes);
        if (limits.InboundTopicAliases > 0) output.WriteUInt16(PropertyId.TopicAliasMaximum, limits.InboundTopicAliases);
        foreach (var (name, value) in _options.UserProperties) output.WriteUserProperty(name, value);
    }

    private void WriteWillProperties(PropertyWriter output)
    {
        if (_options.Will is not { } will) return;
        if (will.Delay > TimeSpan.Zero) output.WriteUInt32(PropertyId.WillDelayInterval, (uint)will.Delay.TotalSeconds);
        MessageProperties.Write(output, will.Message);
    }

    /// <summary>Whether a broker that refuses a connection so may accept the next one.</summary>
    internal static bool MayPass(MqttReasonCode refusal) => refusal is MqttReasonCode.ServerUnavailable or MqttReasonCode.ServerBusy
        or MqttReasonCode.ConnectionRateExceeded or MqttReasonCode.QuotaExceeded or MqttReasonCode.UnspecifiedError
        or MqttReasonCode.ImplementationSpecificError or MqttReasonCode.UseAnotherServer;
}
