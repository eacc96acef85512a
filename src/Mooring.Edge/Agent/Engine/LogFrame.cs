namespace Mooring.Edge.Agent.Engine;

/// <summary>A piece of what a container wrote; not a line: the engine cuts where the container flushed.</summary>
/// <param name="IsError">Whether it went to the error output.</param>
/// <param name="Text">The bytes.</param>
internal readonly record struct LogFrame(bool IsError, ReadOnlyMemory<byte> Text);
