namespace Mooring.Mqtt.Client;

/// <summary>
/// The connection broke while a QoS 2 message was on its way, and the broker has not kept the session: whether the message arrived
/// cannot be known. Publishing it again may deliver it twice, not doing so may lose it.
/// </summary>
/// <param name="topic">Topic of the message.</param>
public sealed class MqttInDoubtException(string topic)
    : IOException($"the broker lost the session while a QoS 2 message of '{topic}' was on its way: it may have arrived or not");
