using System.Globalization;
using Mooring.Bench.Processes;
using Mooring.Tunnel.Client;

namespace Mooring.Bench.Tunnel;

/// <summary>Thousands of clients that carry nothing: what they cost the server, and how fast they are back after it was started again.</summary>
internal sealed class IdleTunnels(TunnelBenchOptions options, SelfServer self, TimeProvider time)
{
    private const int ConnectingMax = 64;
    private const double Most = 0.95;

    private static readonly TimeSpan s_probeEvery = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_backWithin = TimeSpan.FromMinutes(2);

    private int _connected;

    public async Task<int> RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        var clients = new TunnelClient?[options.IdleTunnels];
        var server = await self.StartAsync(cancellationToken);
        try
        {
            var alone = Resident(server);
            var started = time.GetTimestamp();
            await Parallel.ForAsync(0, clients.Length, new ParallelOptions { MaxDegreeOfParallelism = ConnectingMax, CancellationToken = cancellationToken }, async (i, stop) => clients[i] = await ConnectAsync(i, stop));
            var connecting = time.GetElapsedTime(started);
            await Task.Delay(s_settle, time, cancellationToken);
            var resident = Resident(server);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"idle        {clients.Length} tunnels connected in {connecting.TotalSeconds:0.0} s; RSS of the server {resident:0} MB, {(resident - alone) * 1024 / clients.Length:0.0} KB each ({alone:0} MB with none)"));
            await server.DisposeAsync();
            await UntilAsync(0, share: 0, cancellationToken);
            server = await self.StartAsync(cancellationToken);
            started = time.GetTimestamp();
            var most = await UntilAsync(started, Most, cancellationToken);
            var all = await UntilAsync(started, 1, cancellationToken);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"idle        after a restart: 95 % back after {most.TotalSeconds:0.0} s, all after {all.TotalSeconds:0.0} s; RSS of the server {Resident(server):0} MB"));
            return Volatile.Read(ref _connected) == clients.Length ? 0 : 1;
        }
        finally
        {
            await Task.WhenAll(clients.OfType<TunnelClient>().Select(client => client.DisposeAsync().AsTask()));
            await server.DisposeAsync();
        }
    }

    private Task<TunnelClient> ConnectAsync(int number, CancellationToken cancellationToken)
    {
        var isUp = 0;
        return TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{self.Control}"),
                Token = self.Token,
                Tunnels = [new TunnelDefinition { LocalPort = 1, Subdomain = string.Create(CultureInfo.InvariantCulture, $"bench-{number}") }],
                StatusChanged = status =>
                {
                    var now = status.IsConnected ? 1 : 0;
                    Interlocked.Add(ref _connected, now - Interlocked.Exchange(ref isUp, now));
                },
            },
            cancellationToken: cancellationToken);
    }

    /// <summary>Waits until so many are connected, or, for a share of 0, until none is.</summary>
    private async Task<TimeSpan> UntilAsync(long started, double share, CancellationToken cancellationToken)
    {
        var wanted = (int)Math.Ceiling(options.IdleTunnels * share);
        var began = time.GetTimestamp();
        while (share == 0 ? Volatile.Read(ref _connected) > 0 : Volatile.Read(ref _connected) < wanted)
        {
            if (time.GetElapsedTime(began) > s_backWithin) break;
            await Task.Delay(s_probeEvery, time, cancellationToken);
        }
        return time.GetElapsedTime(started);
    }

    private static double Resident(PeerProcess server) => (ProcessSample.Of(server.Id)?.ResidentKilobytes ?? 0) / 1024.0;
}
