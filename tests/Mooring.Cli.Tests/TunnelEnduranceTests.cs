using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Mooring.Testing;

namespace Mooring.Cli.Tests;

/// <summary>A tunnel's two programs under a gigabyte, under load, and killed.</summary>
public sealed class TunnelEnduranceTests : MooringTest
{
    private const long Gigabyte = 1L << 30;

    /// <summary>What a program may grow by while any amount goes through it.</summary>
    private const long GrowthMax = 64L << 20;

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "mooring");

    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-tunnel-").FullName;

    // A gigabyte takes longer than other tests on a loaded machine.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly CancellationTokenSource _limit = new(Patience);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _limit.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private ProcessUnderTest Run(params string[] arguments) => Own(ProcessUnderTest.Start(Program, ["tunnel", .. arguments], new Dictionary<string, string?> { ["HOME"] = _folder }));

    private async Task<ProcessUnderTest> ServeAsync(int control, int http)
    {
        var server = Run("serve", "--port", Text(control), "--http-port", Text(http), "--data", Path.Combine(_folder, "data"), "--token", "secret");
        await server.LineAsync("Ctrl-C stops everything", TestTimeout);
        return server;
    }

    private async Task<ProcessUnderTest> PublishAsync(int control, int port)
    {
        var client = Run("http", Text(port), "-s", "demo", "--server", $"127.0.0.1:{Text(control)}", "--token", "secret");
        await client.LineAsync("Press Ctrl+C", TestTimeout);
        return client;
    }

    private static HttpClient Visitor(int http) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, stop) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, http, stop);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri($"http://demo.localhost:{http}/"), Timeout = Timeout.InfiniteTimeSpan };

    private async Task<WebApplication> StartOriginAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.KestrelServerOptions.Limits.MaxRequestBodySize = null));
        var origin = builder.Build();
        origin.MapGet("/hello", () => "hello");
        origin.MapGet("/random", async (HttpContext context) =>
        {
            context.Response.ContentLength = Gigabyte;
            await new Blocks().CopyToAsync(context.Response.Body, context.RequestAborted);
        });
        origin.MapPut("/digest", async (HttpRequest request) => Convert.ToHexString(await SHA256.HashDataAsync(request.Body)));
        await origin.StartAsync(TestTimeout);
        return Own(origin);
    }

    private static int PortOf(WebApplication origin) => new Uri(origin.Urls.First()).Port;

    private static long Kilobytes(ProcessUnderTest process, string field) => long.Parse(
        File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture) * 1024;

    [Fact]
    public async Task Gigabyte_goes_through_in_both_directions_unharmed_and_neither_program_grows()
    {
        var origin = await StartOriginAsync();
        var (control, http) = (FreePort.Next(), FreePort.Next());
        var server = await ServeAsync(control, http);
        var client = await PublishAsync(control, PortOf(origin));
        using var visitor = Visitor(http);
        for (var i = 0; i < 50; i++) Assert.Equal("hello", await visitor.GetStringAsync("hello", _limit.Token));
        var (serverIdle, clientIdle) = (Kilobytes(server, "VmRSS"), Kilobytes(client, "VmRSS"));
        var expected = await SHA256.HashDataAsync(new Blocks(), _limit.Token);

        using var answer = await visitor.GetAsync("random", HttpCompletionOption.ResponseHeadersRead, _limit.Token);
        Assert.Equal(Gigabyte, answer.Content.Headers.ContentLength);
        Assert.Equal(expected, await SHA256.HashDataAsync(await answer.Content.ReadAsStreamAsync(_limit.Token), _limit.Token));
        using var put = await visitor.PutAsync("digest", new StreamContent(new Blocks(), 256 * 1024), _limit.Token);
        Assert.Equal(Convert.ToHexString(expected), await put.Content.ReadAsStringAsync(_limit.Token));

        Assert.InRange(Kilobytes(server, "VmHWM") - serverIdle, 0, GrowthMax);
        Assert.InRange(Kilobytes(client, "VmHWM") - clientIdle, 0, GrowthMax);
    }

    [Fact]
    public async Task Server_that_is_killed_under_load_and_started_again_has_its_tunnel_back_under_the_same_name()
    {
        var origin = await StartOriginAsync();
        var (control, http) = (FreePort.Next(), FreePort.Next());
        var server = await ServeAsync(control, http);
        var client = await PublishAsync(control, PortOf(origin));
        using var visitor = Visitor(http);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_limit.Token);
        var (answered, failed) = (0, 0);
        var load = Enumerable.Range(0, 16).Select(_ => LoadAsync()).ToArray();
        await UntilAsync(() => Volatile.Read(ref answered) > 500);
        server.Kill();
        await server.ExitAsync(TestTimeout);
        await UntilAsync(() => Volatile.Read(ref failed) > 10);
        await ServeAsync(control, http);
        var before = Volatile.Read(ref answered);
        await UntilAsync(() => Volatile.Read(ref answered) > before + 500);
        await over.CancelAsync();
        await Task.WhenAll(load);
        Assert.False(client.HasExited);

        async Task LoadAsync()
        {
            while (!over.IsCancellationRequested)
            {
                try
                {
                    using var answer = await visitor.GetAsync("hello", over.Token);
                    // While the client is on its way back there is no tunnel.
                    if (answer.StatusCode == HttpStatusCode.NotFound) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, over.Token);
                    else if (await answer.Content.ReadAsStringAsync(over.Token) == "hello") Interlocked.Increment(ref answered);
                }
                catch (HttpRequestException)
                {
                    Interlocked.Increment(ref failed);
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    [Fact]
    public async Task Client_that_is_killed_in_mid_answer_cuts_its_visitors_off_and_the_next_one_has_the_name_at_once()
    {
        var origin = await StartOriginAsync();
        var (control, http) = (FreePort.Next(), FreePort.Next());
        await ServeAsync(control, http);
        var client = await PublishAsync(control, PortOf(origin));
        using var visitor = Visitor(http);
        using var answer = await visitor.GetAsync("random", HttpCompletionOption.ResponseHeadersRead, _limit.Token);
        await using var body = await answer.Content.ReadAsStreamAsync(_limit.Token);
        await body.ReadExactlyAsync(new byte[1_000_000], _limit.Token);
        client.Kill();
        await client.ExitAsync(TestTimeout);
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null, _limit.Token));
        await PublishAsync(control, PortOf(origin));
        Assert.Equal("hello", await visitor.GetStringAsync("hello", _limit.Token));
    }

    private Task UntilAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Eventually.TrueAsync(condition, what, _limit.Token, Patience);

    /// <summary>A gigabyte made as it is read: random blocks of which each has its number in front, so that none may be missing, doubled or elsewhere.</summary>
    private sealed class Blocks : Stream
    {
        private const int BlockBytes = 64 * 1024;

        private readonly byte[] _block = new byte[BlockBytes];
        private long _position;

        public Blocks() => new Random(42).NextBytes(_block);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => Gigabyte;

        public override long Position
        {
            get => _position;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            if (_position == Gigabyte) return 0;
            var at = (int)(_position % BlockBytes);
            BinaryPrimitives.WriteInt64LittleEndian(_block, _position / BlockBytes);
            var count = Math.Min(buffer.Length, BlockBytes - at);
            _block.AsSpan(at, count).CopyTo(buffer);
            _position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
