using System.CommandLine;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Telemetry;

/// <summary>The option of all servers that sends traces and metrics to a collector.</summary>
internal static class OtlpArguments
{
    internal static Option<Uri?> Create() => new("--otlp")
    {
        Description = $"Sends traces and metrics to this collector with OTLP. Without it {OtlpOptions.EndpointVariable} counts, and without that nothing is sent.",
        HelpName = "URL",
        CustomParser = result =>
        {
            if (OtlpOptions.ParseAddress(result.Tokens[0].Value) is { } address) return address;
            result.AddError($"--otlp: '{result.Tokens[0].Value}' is not allowed: use {OtlpOptions.AddressRule}");
            return null;
        },
    };

    /// <summary>Has the host export, if anybody asks for it; nothing of it is even loaded otherwise.</summary>
    internal static void AddTo(MooringHost host, ParseResult parsed, Option<Uri?> option)
    {
        if (Read(parsed, option) is { } options) OtlpExport.AddTo(host, options);
    }

    /// <exception cref="UserErrorException">A variable of the environment makes no sense.</exception>
    internal static OtlpOptions? Read(ParseResult parsed, Option<Uri?> option) =>
        OtlpOptions.Of(parsed.GetValue(option), Environment.GetEnvironmentVariable);
}
