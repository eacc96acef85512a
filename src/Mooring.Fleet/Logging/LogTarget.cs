using Microsoft.Extensions.Logging;

namespace Mooring.Fleet.Logging;

/// <summary>Takes complete lines.</summary>
internal interface ILogSink : IDisposable
{
    void Write(ReadOnlySpan<byte> line);
}

internal sealed record LogTarget(LogLevel Level, ILogSink Sink);

internal sealed class StandardErrorSink : ILogSink
{
    private readonly Stream _stream = Console.OpenStandardError();

    public void Write(ReadOnlySpan<byte> line) => _stream.Write(line);

    public void Dispose() => _stream.Dispose();
}
