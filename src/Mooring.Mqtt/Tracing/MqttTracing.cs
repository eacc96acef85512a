using System.Diagnostics;
using System.Text;
using Mooring.Kernel.Tracing;
using Mooring.Mqtt.Codec;

namespace Mooring.Mqtt.Tracing;

/// <summary>Spans of messages, on activity source <c>Mooring.Mqtt</c>. In MQTT 5 a trace travels as user properties, as W3C proposes.</summary>
internal static class MqttTracing
{
    private static readonly ActivitySource Source = new("Mooring.Mqtt");

    /// <summary>Whether anybody wants to know; false costs a comparison.</summary>
    internal static bool IsOn => Source.HasListeners();

    /// <summary>The broker has got a PUBLISH, from a connection or from a client in its process.</summary>
    internal static TraceSpan BeginReceipt(ReadOnlySpan<byte> topic, string clientId, QualityOfService qos, int payloadBytes, TraceContext? parent)
    {
        var span = TraceSpan.Start(Source, "mqtt receive", ActivityKind.Server, parent);
        return span.IsRecorded
            ? Describe(span, Encoding.UTF8.GetString(topic), qos, payloadBytes).With("messaging.client.id", clientId)
            : span;
    }

    /// <summary>A client publishes over the network.</summary>
    internal static TraceSpan BeginPublish(MqttMessage message)
    {
        var span = TraceSpan.Start(Source, "mqtt publish", ActivityKind.Producer, message.Trace ?? TraceContext.Current);
        return Describe(span, message.Topic, message.QualityOfService, message.Payload.Length);
    }

    /// <summary>A client's handlers get a message. What they start themselves belongs to it, so it is the caller's flow that it changes.</summary>
    internal static Activity? StartProcess(MqttMessage message)
    {
        if (!IsOn) return null;
        Activity.Current = null;
        var activity = Source.StartActivity("mqtt process", ActivityKind.Consumer, message.Trace?.Value ?? default);
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("messaging.system", "mqtt").SetTag("messaging.destination.name", message.Topic);
        }
        return activity;
    }

    /// <summary>The place in a trace that a publisher of 5.0 has sent along.</summary>
    internal static TraceContext? Read(PropertyBlock properties)
    {
        ReadOnlySpan<byte> parent = default, state = default;
        for (var reader = properties.Read(); reader.MoveNext();)
        {
            if (reader.Id != PropertyId.UserProperty) continue;
            if (reader.Bytes.SequenceEqual("traceparent"u8)) parent = reader.PairValue;
            else if (reader.Bytes.SequenceEqual("tracestate"u8)) state = reader.PairValue;
        }
        return parent.IsEmpty ? null : TraceContext.Parse(parent, state);
    }

    /// <summary>Writes the message's place in a trace, unless its publisher has written one of his own.</summary>
    internal static void Write(PropertyWriter output, MqttMessage message)
    {
        if (message.Trace is not { } trace) return;
        for (var i = 0; i < message.UserProperties.Count; i++)
        {
            if (message.UserProperties[i].Key == TraceContext.ParentName) return;
        }
        Write(output, trace);
    }

    /// <summary>The properties with <paramref name="trace"/> behind them; user properties of the publisher stay unaltered (MQTT-3.3.2-17).</summary>
    internal static byte[] Append(byte[]? properties, TraceContext trace)
    {
        var added = new PropertyWriter();
        Write(added, trace);
        return [.. properties ?? [], .. added.Written];
    }

    private static void Write(PropertyWriter output, TraceContext trace)
    {
        output.WriteUserProperty(TraceContext.ParentName, trace.ToString());
        if (!string.IsNullOrEmpty(trace.Value.TraceState)) output.WriteUserProperty(TraceContext.StateName, trace.Value.TraceState);
    }

    private static TraceSpan Describe(TraceSpan span, string topic, QualityOfService qos, int payloadBytes) => span.IsRecorded
        ? span.With("messaging.system", "mqtt").With("messaging.destination.name", topic)
            .With("messaging.mqtt.qos", (int)qos).With("messaging.message.body.size", payloadBytes)
        : span;
}
