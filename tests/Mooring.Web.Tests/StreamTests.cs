using System.Net;
using System.Net.Sockets;
using System.Text;
using Mooring.Testing;
using Mooring.Web.Readings;

namespace Mooring.Web.Tests;

/// <summary>The event stream under many clients, of which some stand still.</summary>
public sealed class StreamTests : MooringTest
{
    private const string Request = "GET /api/events?show=cars HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

    [Fact]
    public async Task ThousandStreams_HalfOfThemStalled_TheOthersSeeEveryChange()
    {
        var mark = 0;
        var source = new TestSource { CarsNow = () => Cars(2_000, Volatile.Read(ref mark)) };
        await using var host = await ConsoleHost.StartAsync(source, new ConsoleLimits { StreamsMax = 1_000, StalledFor = TimeSpan.FromMinutes(5) });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var stalled = new List<Socket>();
        var reading = new List<Socket>();
        for (var i = 0; i < 1_000; i++)
        {
            var socket = await ConnectAsync(host.Address, receiveBuffer: i % 2 == 0 ? 4_096 : 64 * 1024);
            (i % 2 == 0 ? stalled : reading).Add(socket);
        }
        var seen = new int[reading.Count];
        var readers = reading.Select((socket, i) => ReadUntilAsync(socket, "mark-7", () => seen[i] = 1)).ToArray();
        await Eventually.TrueAsync(() => host.Feed.Streams == 1_000, "all streams", TestTimeout);
        for (var i = 1; i <= 7; i++)
        {
            Volatile.Write(ref mark, i);
            await host.Feed.NextChange.WaitAsync(TestTimeout);
        }
        await Task.WhenAll(readers).WaitAsync(TestTimeout);
        Assert.All(seen, one => Assert.Equal(1, one));
        // 500 stalled streams hold a piece each, not the 150 KB of the whole table, nor all changes.
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 120L * 1024 * 1024);

        using var more = await ConnectAsync(host.Address);
        var answer = new byte[256];
        var length = await more.ReceiveAsync(answer, TestTimeout);
        Assert.StartsWith("HTTP/1.1 503", Encoding.ASCII.GetString(answer, 0, length), StringComparison.Ordinal);
        foreach (var socket in stalled.Concat(reading)) socket.Dispose();
    }

    [Fact]
    public async Task StreamThatTakesNothing_IsCut()
    {
        var mark = 0;
        var source = new TestSource { CarsNow = () => Cars(40_000, Interlocked.Increment(ref mark)) };
        await using var host = await ConsoleHost.StartAsync(source, new ConsoleLimits { StalledFor = TimeSpan.FromMilliseconds(300) });
        using var stalled = await ConnectAsync(host.Address, receiveBuffer: 4_096);
        await Eventually.TrueAsync(() => host.Feed.Streams == 1, "the stream", TestTimeout);
        await Eventually.TrueAsync(() => host.Feed.Streams == 0, "the end of the stream", TestTimeout);
    }

    [Fact]
    public async Task UnknownTable_IsRefusedWithTheNamesThereAre()
    {
        await using var host = await ConsoleHost.StartAsync(new TestSource());
        using var http = new HttpClient { BaseAddress = host.Address };
        using var answer = await http.GetAsync(new Uri("api/events?show=cars,carz", UriKind.Relative), TestTimeout);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("there is no table 'carz' (allowed: systems, figures, cars", await answer.Content.ReadAsStringAsync(TestTimeout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OneFailingSystem_LeavesTheOthersAlive()
    {
        var source = new TestSource { CarsNow = () => Cars(1, 0), AgentsNow = () => throw new InvalidOperationException("the hub is away") };
        await using var host = await ConsoleHost.StartAsync(source);
        using var http = new HttpClient { BaseAddress = host.Address };
        await using var stream = await http.GetStreamAsync(new Uri("api/events?show=agents,cars", UriKind.Relative), TestTimeout);
        using var reader = new StreamReader(stream);
        var text = "";
        while (!text.Contains("car_0", StringComparison.Ordinal)) text += await reader.ReadLineAsync(TestTimeout);
        Assert.Contains("\"problem\":\"the hub is away\"", text, StringComparison.Ordinal);
    }

    internal static IEnumerable<CarReading> Cars(int count, int mark) =>
        Enumerable.Range(0, count).Select(i => new CarReading($"car_{i}", true, "Running") { Session = i == 0 ? $"mark-{mark}" : $"session-{(mark > 1_000 ? mark : 0)}", Devices = 2 });

    private async Task<Socket> ConnectAsync(Uri address, int receiveBuffer = 64 * 1024)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = receiveBuffer };
        await socket.ConnectAsync(IPAddress.Loopback, address.Port, TestTimeout);
        await socket.SendAsync(Encoding.ASCII.GetBytes(Request), TestTimeout);
        return socket;
    }

    private async Task ReadUntilAsync(Socket socket, string text, Action found)
    {
        var buffer = new byte[64 * 1024];
        var tail = "";
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, TestTimeout);
            Assert.NotEqual(0, length);
            tail += Encoding.ASCII.GetString(buffer, 0, length);
            if (tail.Contains(text, StringComparison.Ordinal)) break;
            tail = tail[Math.Max(0, tail.Length - text.Length)..];
        }
        found();
    }
}
