using System.CommandLine;
using Mooring.Bench;
using Mooring.Bench.Tunnel;
using Mooring.Cli.Hosting;

namespace Mooring.Cli.Verbs;

/// <summary><c>mooring bench tunnel</c>.</summary>
internal static class TunnelBenchVerb
{
    internal static Command Create()
    {
        var peers = new Argument<string[]>("PATH")
        {
            Description = $"Ways to the origin; all when none is named: {string.Join(", ", TunnelBenchOptions.AllPeers)}. Or: idle (10,000 clients, a restart), auth (1,000,000 tokens).",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var seconds = new Option<int>("--seconds") { Description = "Measured seconds of each run.", HelpName = "N", DefaultValueFactory = _ => 5 };
        var stream = new Option<long>("--stream-bytes") { Description = "Bytes of the one stream.", HelpName = "N", DefaultValueFactory = _ => 1L << 30 };
        var tunnels = new Option<int>("--tunnels") { Description = "Clients of the case idle.", HelpName = "N", DefaultValueFactory = _ => 10_000 };
        var tokens = new Option<int>("--tokens") { Description = "Tokens of the case auth.", HelpName = "N", DefaultValueFactory = _ => 1_000_000 };
        var command = new Command("tunnel", "Requests and a stream through a tunnel, beside nginx as a reverse proxy and ssh -R.") { peers, seconds, stream, tunnels, tokens };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new TunnelBenchOptions
            {
                Peers = parsed.GetValue(peers) ?? [],
                SelfProgram = Environment.ProcessPath!,
                Seconds = parsed.GetValue(seconds),
                StreamBytes = parsed.GetValue(stream),
                IdleTunnels = parsed.GetValue(tunnels),
                StoredTokens = parsed.GetValue(tokens),
            };
            try
            {
                return await TunnelBench.RunAsync(options, Console.Out, cancellationToken);
            }
            catch (MooringBenchException exception)
            {
                throw new UserErrorException(exception.Message.Split(Environment.NewLine));
            }
        });
        return command;
    }
}
