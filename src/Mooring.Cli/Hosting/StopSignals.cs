using System.Runtime.InteropServices;

namespace Mooring.Cli.Hosting;

/// <summary>SIGINT and SIGTERM stop a host; a second one ends the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly IHostApplicationLifetime _lifetime;
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;
    private int _signals;

    internal StopSignals(IHostApplicationLifetime lifetime)
    {
        _lifetime = lifetime;
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
    }

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _signals) > 1) Environment.Exit(ExitCode.Forced);
        _lifetime.StopApplication();
    }
}
