namespace Mooring.Cli.Hosting;

/// <summary>Exit codes of every verb.</summary>
internal static class ExitCode
{
    /// <summary>Done, or stopped by SIGINT or SIGTERM after a clean drain.</summary>
    internal const int Success = 0;

    /// <summary>Configuration, files, ports or peers are not as they must be; each cause was printed on a line.</summary>
    internal const int Failure = 1;

    /// <summary>The command line itself was wrong.</summary>
    internal const int Usage = 2;

    /// <summary>A settings file of the user, or an agent's identity, cannot be read: starting again changes nothing.</summary>
    internal const int Settings = 78;

    /// <summary>A second signal cut the drain short.</summary>
    internal const int Forced = 130;
}
