namespace Mooring.Bench;

/// <summary>A measurement could not be made; the message is one line for the person who asked for it.</summary>
/// <param name="message">What went wrong and where.</param>
public sealed class MooringBenchException(string message) : Exception(message);
