using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Mooring.Edge.NetMon;

/// <summary>Runs small programs of the system, such as ip. Arguments are handed over one by one: no shell reads them.</summary>
/// <param name="time">Clock of the time-out.</param>
internal sealed class Programs(TimeProvider time)
{
    /// <summary>Runs a program.</summary>
    /// <exception cref="ProgramException">it is missing, failed, or did not end in time</exception>
    public async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        using var process = new Process { StartInfo = Describe(program, arguments) };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            throw new ProgramException($"{program} cannot be run: {e.Message}");
        }
        using var limit = new CancellationTokenSource(NetMonLimits.Program, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(linked.Token);
            var error = process.StandardError.ReadToEndAsync(linked.Token);
            await process.WaitForExitAsync(linked.Token).ConfigureAwait(false);
            var (told, complaint) = (await output.ConfigureAwait(false), await error.ConfigureAwait(false));
            if (process.ExitCode != 0) throw new ProgramException($"{program} {string.Join(' ', arguments)}: {Shorten(complaint.Length > 0 ? complaint : told)}");
            return told;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new ProgramException($"{program} {string.Join(' ', arguments)} did not end within {NetMonLimits.Program.TotalSeconds} s");
        }
    }

    /// <summary>Runs <c>ip</c> in the network of the host.</summary>
    public Task<string> IpAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => RunAsync("ip", arguments, cancellationToken);

    /// <summary>Runs <c>ip</c> in the network of a container.</summary>
    /// <param name="pid">Its first process.</param>
    /// <param name="arguments">What ip shall do.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<string> IpInsideAsync(int pid, IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        RunAsync("nsenter", [$"--net={NetworkOf(pid)}", "ip", .. arguments], cancellationToken);

    /// <summary>The network namespace of a process.</summary>
    public static string NetworkOf(int pid) => string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/net");

    /// <summary>How a program is to be run.</summary>
    public static ProcessStartInfo Describe(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return start;
    }

    private static string Shorten(string text)
    {
        text = text.ReplaceLineEndings(" ").Trim();
        return text.Length > NetMonLimits.ProgramOutput ? text[..NetMonLimits.ProgramOutput] : text;
    }
}

/// <summary>A program of the system failed.</summary>
/// <param name="message">Which, and what it said.</param>
internal sealed class ProgramException(string message) : Exception(message);
