namespace Mooring.Tunnel.Client.Configuration;

/// <summary>The settings file cannot be read; it is left as it is.</summary>
/// <param name="message">What is wrong, with the file's name.</param>
public sealed class ClientSettingsException(string message) : Exception(message);
