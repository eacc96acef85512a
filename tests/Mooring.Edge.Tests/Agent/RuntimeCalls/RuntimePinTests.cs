using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Mooring.Edge.Agent;
using Mooring.Edge.Agent.Debugging;
using Mooring.Edge.Agent.RuntimeCalls;
using Mooring.Edge.Agent.State;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Agent.RuntimeCalls;

/// <summary>Certificates that runtimes are known by, against TLS listeners on loopback that take down every byte that they are sent.</summary>
public sealed class RuntimePinTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-pins-").FullName;
    private readonly TlsRuntime _first;
    private readonly TlsRuntime _second;
    private string? _container = "container-1";

    public RuntimePinTests() => (_first, _second) = (new TlsRuntime(), new TlsRuntime());

    private string PinFile => Path.Combine(_folder, "data", "runtime_pins.json");

    [Fact]
    public async Task FirstCertificate_IsKept_TheSamePasses_AndAnotherIsSentNothing()
    {
        using var caller = Pinning(out var state);
        foreach (var _ in Enumerable.Range(0, 2)) await PassesAsync(caller, _first);
        Assert.Equal(new RuntimePinRecord("container-1", _first.Fingerprint), state.RuntimePins.Find("plc"));
        await RefusedAsync(caller, _second);
        await PassesAsync(caller, _first);
    }

    [Fact]
    public async Task AnotherContainer_IsKnownByItsOwnCertificate()
    {
        using var caller = Pinning(out var state);
        await PassesAsync(caller, _first);
        _container = "container-2";
        await PassesAsync(caller, _second);
        await RefusedAsync(caller, _first);
        Assert.Equal(_second.Fingerprint, state.RuntimePins.Find("plc")!.Fingerprint);
    }

    [Fact]
    public async Task OtherDevices_HaveTheirOwn_AndADeletedOneIsForgotten()
    {
        using var caller = Pinning(out var state);
        await PassesAsync(caller, _first);
        await PassesAsync(caller, _second, "other");
        state.Forget("plc");
        Assert.Equal("other", Assert.Single(state.RuntimePins.Snapshot()).Key);
        await PassesAsync(caller, _second);
    }

    [Fact]
    public async Task Restart_OfTheAgent_KeepsWhatIsKnown()
    {
        using (var before = Pinning(out _)) await PassesAsync(before, _first);
        using var after = Pinning(out _);
        await RefusedAsync(after, _second);
        await PassesAsync(after, _first);
    }

    [Fact]
    public async Task BrokenFile_IsMovedAsideAndTold()
    {
        using (var before = Pinning(out _)) await PassesAsync(before, _first);
        File.Delete(PinFile + ".bak");
        await File.WriteAllTextAsync(PinFile, "{", TestTimeout);
        using var after = Pinning(out var state);
        Assert.Contains("runtime_pins.json was broken", Assert.Single(state.Findings()), StringComparison.Ordinal);
        Assert.Equal("{", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(Path.Combine(_folder, "data"), "runtime_pins.json.broken-*")), TestTimeout));
        await PassesAsync(after, _second);
        await RefusedAsync(after, _first);
    }

    [Fact]
    public async Task DeviceWithoutContainer_IsNotCalled()
    {
        using var caller = Pinning(out var state);
        _container = null;
        var response = await CallAsync(caller, _first, "plc");
        Assert.Equal(502, (int)response["status_code"]!);
        Assert.Contains("plc has no container", (string?)response["body"]!["error"], StringComparison.Ordinal);
        Assert.Empty(state.RuntimePins.Snapshot());
    }

    [Fact]
    public async Task WithoutTheOption_AllPass_AndNothingIsKept()
    {
        var state = new AgentState(_folder, TimeProvider.System);
        using var caller = new RuntimeCaller(new AgentOptions(), TimeProvider.System);
        await PassesAsync(caller, _first);
        await PassesAsync(caller, _second);
        Assert.Empty(state.RuntimePins.Snapshot());
        Assert.False(File.Exists(PinFile));
    }

    [Fact]
    public async Task Debugger_WithAnotherCertificate_IsSentNeitherLoginNorToken()
    {
        using var caller = Pinning(out _);
        await PassesAsync(caller, _first);
        await using var debugging = new DebugSessions(caller, TimeProvider.System, NullLoggerFactory.Instance);
        foreach (var start in new[] { """{"type":"debug_start","token":"secret"}""", """{"type":"debug_start","username":"anna","password":"secret"}""" })
        {
            using var request = JsonDocument.Parse(start);
            var answer = await debugging.AnswerAsync("plc", _second.Address, RuntimeCall.SecurePort, request.RootElement, TestTimeout);
            Assert.Equal("debug_error", (string?)answer["type"]);
            Assert.Contains("the certificate of plc has changed", (string?)answer["error"], StringComparison.Ordinal);
            Assert.Equal("", await _second.SentAsync(TestTimeout));
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        await base.DisposeAsync();
    }

    private RuntimeCaller Pinning(out AgentState state)
    {
        state = new AgentState(_folder, TimeProvider.System);
        return new RuntimeCaller(new AgentOptions(), TimeProvider.System,
            new RuntimePins(state.RuntimePins, (_, _) => Task.FromResult(_container), NullLogger<RuntimePins>.Instance));
    }

    private async Task PassesAsync(RuntimeCaller caller, TlsRuntime runtime, string device = "plc")
    {
        var response = await CallAsync(caller, runtime, device);
        Assert.Equal((200, "ok"), ((int)response["status_code"]!, (string?)response["body"]));
        Assert.Contains("Authorization: Bearer secret", await runtime.SentAsync(TestTimeout), StringComparison.Ordinal);
    }

    private async Task RefusedAsync(RuntimeCaller caller, TlsRuntime runtime)
    {
        var response = await CallAsync(caller, runtime, "plc");
        Assert.Equal(502, (int)response["status_code"]!);
        var error = (string?)response["body"]!["error"];
        Assert.Contains("the certificate of plc has changed", error, StringComparison.Ordinal);
        Assert.Contains("delete the device and create it again", error, StringComparison.Ordinal);
        Assert.Equal("", await runtime.SentAsync(TestTimeout));
    }

    private async Task<JsonNode> CallAsync(RuntimeCaller caller, TlsRuntime runtime, string device)
    {
        var call = new RuntimeCall
        {
            Method = "GET", Api = "api/status", Port = RuntimeCall.SecurePort, Timeout = TimeSpan.FromSeconds(30),
            Headers = [new("Authorization", "Bearer secret")],
        };
        return (await caller.CallAsync(device, runtime.Address, call, TestTimeout))["http_response"]!;
    }

    /// <summary>Answers each connection once and closes it, on an address of its own.</summary>
    private sealed class TlsRuntime : IAsyncDisposable
    {
        private readonly TcpListener _listener = Listen();
        private readonly X509Certificate2 _certificate = SelfSigned();
        private readonly Channel<string> _sent = Channel.CreateBounded<string>(100);
        private readonly Task _serving;

        public TlsRuntime() => _serving = ServeAsync();

        public string Address => ((IPEndPoint)_listener.LocalEndpoint).Address.ToString();

        public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(_certificate.RawData));

        /// <summary>All that came over the next connection, once that has ended; empty when it was closed without a word.</summary>
        public async Task<string> SentAsync(CancellationToken cancellationToken) => await _sent.Reader.ReadAsync(cancellationToken);

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _serving;
            _certificate.Dispose();
        }

        // A network of one's own on this machine: the port is given.
        private static TcpListener Listen()
        {
            var address = new IPAddress([127, (byte)Random.Shared.Next(1, 255), (byte)Random.Shared.Next(0, 255), (byte)Random.Shared.Next(2, 255)]);
            var listener = new TcpListener(address, RuntimeCall.SecurePort);
            listener.Start();
            return listener;
        }

        private static X509Certificate2 SelfSigned()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var now = TimeProvider.System.GetUtcNow();
            using var made = new CertificateRequest("CN=openplc", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                try
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    await _sent.Writer.WriteAsync(await AnswerAsync(client));
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    return;
                }
            }
        }

        private async Task<string> AnswerAsync(TcpClient client)
        {
            var sent = new StringBuilder();
            try
            {
                await using var stream = new SslStream(client.GetStream());
                await stream.AuthenticateAsServerAsync(_certificate);
                var buffer = new byte[4096];
                int count;
                while (!sent.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && (count = await stream.ReadAsync(buffer)) > 0)
                    sent.Append(Encoding.Latin1.GetString(buffer, 0, count));
                if (sent.Length > 0) await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"u8.ToArray());
            }
            catch (Exception e) when (e is IOException or AuthenticationException)
            {
                // The caller went away.
            }
            return sent.ToString();
        }
    }
}
