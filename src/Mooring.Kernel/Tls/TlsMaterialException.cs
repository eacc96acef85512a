namespace Mooring.Kernel.Tls;

/// <summary>Certificates or keys cannot be used. Its message is one line for a person.</summary>
/// <param name="message">What is wrong, with the file's name.</param>
public sealed class TlsMaterialException(string message) : Exception(message);
