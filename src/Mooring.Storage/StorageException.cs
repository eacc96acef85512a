namespace Mooring.Storage;

/// <summary>The database cannot be used. Its message is one line for a person.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="inner">What the driver said.</param>
public sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner);
