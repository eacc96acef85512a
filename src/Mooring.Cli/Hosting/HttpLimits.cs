namespace Mooring.Cli.Hosting;

/// <summary>Limits of the operator's HTTP port.</summary>
internal static class HttpLimits
{
    /// <summary>Largest request body, in bytes: commands to devices are small, 1 MiB is the broker's packet limit too.</summary>
    internal const long RequestBodyBytes = 1024 * 1024;
}
