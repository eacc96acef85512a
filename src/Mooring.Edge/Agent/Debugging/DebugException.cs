namespace Mooring.Edge.Agent.Debugging;

/// <summary>A debug request that could not be answered.</summary>
/// <param name="message">Why, for people.</param>
internal sealed class DebugException(string message) : Exception(message);
