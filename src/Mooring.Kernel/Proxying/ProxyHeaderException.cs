namespace Mooring.Kernel.Proxying;

/// <summary>A connection that should begin with a header of the PROXY protocol does not, or with a broken one.</summary>
/// <param name="message">In words, for a log.</param>
public sealed class ProxyHeaderException(string message) : IOException(message);
