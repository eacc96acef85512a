using System.Globalization;
using Mooring.Testing;

namespace Mooring.Cli.Tests.Chat;

/// <summary>The chat of the real program, in <c>mooring up</c> or alone, and people with nc who come to it.</summary>
internal sealed class ChatProgram : IAsyncDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "mooring");

    private ChatProgram(ProcessUnderTest process, int linesPort, int httpPort)
    {
        Process = process;
        LinesPort = linesPort;
        Url = $"http://127.0.0.1:{httpPort}";
    }

    internal ProcessUnderTest Process { get; }

    internal int LinesPort { get; }

    internal string Url { get; }

    /// <summary><c>mooring up</c> with its data in this folder.</summary>
    internal static async Task<ChatProgram> UpAsync(string folder, CancellationToken cancellationToken)
    {
        string[] ports = ["--mqtt-port", "0", "--http-port", "0", "--chat-port", "0", "--chat-http-port", "0", "--hub-port", "0", "--tunnel-port", "0", "--tunnel-http-port", "0"];
        var process = ProcessUnderTest.Start(Program, ["up", "--data", folder, .. ports]);
        await process.LineAsync("Ctrl-C stops everything", cancellationToken);
        return new ChatProgram(
            process, Port(await process.LineAsync("nc 127.0.0.1 ", cancellationToken), "nc 127.0.0.1 "),
            Port(await process.LineAsync("chat in a browser", cancellationToken), "http://127.0.0.1:"));
    }

    internal static async Task<ChatProgram> StartAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        var process = ProcessUnderTest.Start(Program, ["chat", "--socket-port", "0", "--http-port", "0", .. arguments]);
        return new ChatProgram(
            process, Port(await process.LineAsync("chat lines on", cancellationToken), "127.0.0.1:"),
            Port(await process.LineAsync("chat HTTP and WebSocket on", cancellationToken), "http://127.0.0.1:"));
    }

    /// <summary>Someone at a terminal: nc, whose input stays open.</summary>
    internal ProcessUnderTest Nc(string firstLine)
    {
        var nc = ProcessUnderTest.Start("nc", ["127.0.0.1", LinesPort.ToString(CultureInfo.InvariantCulture)]);
        nc.Input.WriteLine(firstLine);
        return nc;
    }

    /// <summary>A script: it sends what it has, without a line end, ends its sending side and listens.</summary>
    internal ProcessUnderTest Script(string input) =>
        ProcessUnderTest.Start("/bin/sh", ["-c", $"printf '%s' \"$1\" | nc -N 127.0.0.1 {LinesPort}", "script", input]);

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private static int Port(string line, string before)
    {
        var digits = line[(line.IndexOf(before, StringComparison.Ordinal) + before.Length)..];
        return int.Parse(string.Concat(digits.TakeWhile(char.IsAsciiDigit)), CultureInfo.InvariantCulture);
    }
}
