using System.Globalization;
using System.Net;
using Mooring.Bench.Mqtt;
using Mooring.Storage;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Links;
using Mooring.Tunnel.Protocol.GenerationB;
using Mooring.Tunnel.Server.Accounts;

namespace Mooring.Bench.Tunnel;

/// <summary>How long the server takes to know a token among very many: from Auth to its answer, one client after another.</summary>
internal sealed class Logins(TunnelBenchOptions options, SelfServer self, TimeProvider time)
{
    /// <summary>Tokens that are used; each is one look-up in a part of the index that the last one did not touch.</summary>
    private const int UsedTokens = 2000;

    private const int BatchTokens = 50_000;

    public async Task<int> RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        var tokens = await FillAsync(cancellationToken);
        await using var server = await self.StartAsync(cancellationToken);
        var histogram = new LatencyHistogram();
        var failures = 0;
        // The first few meet a compiler that is at work.
        foreach (var token in tokens.Take(UsedTokens / 10)) await LoginAsync(token, null, cancellationToken);
        foreach (var token in tokens)
        {
            if (!await LoginAsync(token, histogram, cancellationToken)) failures++;
        }
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"auth        {options.StoredTokens} tokens stored, {histogram.Count} logins: p50 {histogram.Microseconds(0.5):0} us, p99 {histogram.Microseconds(0.99):0} us, max {histogram.Microseconds(1):0} us, {failures} failed"));
        return failures;
    }

    private async Task<IReadOnlyList<string>> FillAsync(CancellationToken cancellationToken)
    {
        await using var database = await Database.OpenAsync(
            new StorageOptions { Database = Path.Combine(self.Data, "tunnel.db"), FlushEveryCommit = false }, cancellationToken);
        await database.MigrateAsync(AccountTables.Slice, AccountTables.Migrations, cancellationToken);
        var store = new AccountStore(database, Quota.Default, time);
        var account = (await store.RegisterAsync("bench@example.org", TokenScopes.Owner, cancellationToken))!.Value.AccountId;
        for (var left = options.StoredTokens; left > 0; left -= BatchTokens)
        {
            var count = Math.Min(left, BatchTokens);
            await database.WriteAsync(
                (session, stop) => session.ExecuteAsync(
                    """
                    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < @count)
                    INSERT INTO tunnel_tokens (id, account, hash, scopes, label, created, last_used, revoked)
                    SELECT lower(hex(randomblob(16))), @account, randomblob(32), 3, 'bench', 0, 0, 0 FROM numbers
                    """,
                    [("count", (long)count), ("account", account)], stop),
                cancellationToken);
        }
        var tokens = new List<string>(UsedTokens);
        for (var i = 0; i < UsedTokens; i++) tokens.Add((await store.AddTokenAsync(account, TokenScopes.Owner, "bench", cancellationToken))!);
        return tokens;
    }

    private async Task<bool> LoginAsync(string token, LatencyHistogram? histogram, CancellationToken cancellationToken)
    {
        var address = ControlAddress.Parse(new IPEndPoint(IPAddress.Loopback, self.Control).ToString());
        await using var stream = await WebSocketDialer.DialAsync(address, address.ControlPath, null, new ServerTrust(null, isInsecure: false, time), time, cancellationToken);
        using var link = new WebSocketLink(stream, isClient: true, new LinkLimits(), time);
        var answer = new Answer();
        var reading = link.RunAsync(answer);
        var output = FrameLink.Scratch();
        FrameWriter.WriteAuth(output, token, ProtocolVersion.Three, Capabilities.All);
        var began = time.GetTimestamp();
        link.Send(output.WrittenSpan);
        var isWelcome = await answer.Task.WaitAsync(cancellationToken);
        histogram?.Record((long)time.GetElapsedTime(began).TotalNanoseconds);
        link.Abort("done");
        await reading;
        return isWelcome;
    }

    private sealed class Answer : ILinkReceiver
    {
        private readonly TaskCompletionSource<bool> _welcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<bool> Task => _welcome.Task;

        public void OnMessage(ReadOnlySpan<byte> message) => _welcome.TrySetResult(FrameReader.Read(message).Kind == FrameKind.HeartbeatAck);

        public ValueTask OnBatchEndAsync() => ValueTask.CompletedTask;
    }
}
