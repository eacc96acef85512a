namespace Mooring.Mqtt.Broker.Persistence;

/// <summary>The data folder cannot be used; the message is one line for a person.</summary>
internal sealed class StorageException(string message, Exception? inner = null) : IOException(message, inner);
