using System.Globalization;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Interop.Tests.MqttClient;

/// <summary>A mosquitto with one listener of each kind, in a folder of its own; it can be killed and started again.</summary>
internal sealed class MosquittoServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-mosquitto-").FullName;
    private readonly DevelopmentAuthority _authority;
    private ProcessUnderTest? _process;

    private MosquittoServer() => _authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, "ca"), TimeProvider.System);

    internal int Plain { get; } = FreePort.Next();

    internal int WithPassword { get; } = FreePort.Next();

    internal int Tls { get; } = FreePort.Next();

    internal int MutualTls { get; } = FreePort.Next();

    internal int WebSocket { get; } = FreePort.Next();

    internal int SecureWebSocket { get; } = FreePort.Next();

    /// <summary>Trusts the server, shows no certificate.</summary>
    internal TlsFiles Trust => new() { Authorities = _authority.AuthorityPath };

    internal TlsFiles ClientCertificate => _authority.Client("car-1");

    internal static async Task<MosquittoServer> StartAsync(CancellationToken cancellationToken)
    {
        var server = new MosquittoServer();
        await server.WriteConfigurationAsync(cancellationToken);
        await server.RestartAsync(cancellationToken);
        return server;
    }

    internal static Uri Address(string scheme, int port) => new(string.Create(CultureInfo.InvariantCulture, $"{scheme}://localhost:{port}"));

    internal async Task KillAsync()
    {
        _process!.Kill();
        await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>SIGSTOP: connections stay open, nobody answers.</summary>
    internal void Freeze() => _process!.Freeze();

    internal void Thaw() => _process!.Thaw();

    /// <summary>SIGTERM: mosquitto saves its sessions.</summary>
    internal async Task TerminateAsync(CancellationToken cancellationToken)
    {
        _process!.Terminate();
        await _process.ExitAsync(cancellationToken);
        await _process.DisposeAsync();
        _process = null;
    }

    internal async Task RestartAsync(CancellationToken cancellationToken)
    {
        _process = ProcessUnderTest.Start(Program(), ["-v", "-c", Path.Combine(_folder, "mosquitto.conf")]);
        await _process.LineAsync("running", cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Program() => File.Exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";

    private async Task WriteConfigurationAsync(CancellationToken cancellationToken)
    {
        var passwords = Path.Combine(_folder, "passwords");
        await using (var tool = ProcessUnderTest.Start("mosquitto_passwd", ["-c", "-b", passwords, "alice", "secret"]))
        {
            if (await tool.ExitAsync(cancellationToken) != 0) throw new InvalidOperationException(string.Join('\n', tool.Lines));
        }
        var files = _authority.Server();
        var tls = $"cafile {_authority.AuthorityPath}\ncertfile {files.Certificate}\nkeyfile {files.Key}\n";
        string[] listeners =
        [
            $"listener {Plain} 127.0.0.1\nallow_anonymous true\n",
            $"listener {WithPassword} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n",
            $"listener {Tls} 127.0.0.1\nallow_anonymous true\n{tls}",
            $"listener {MutualTls} 127.0.0.1\nallow_anonymous true\nrequire_certificate true\n{tls}",
            $"listener {WebSocket} 127.0.0.1\nprotocol websockets\nallow_anonymous true\n",
            $"listener {SecureWebSocket} 127.0.0.1\nprotocol websockets\nallow_anonymous true\n{tls}",
        ];
        var text = "per_listener_settings true\nuser root\npersistence true\nmax_queued_messages 20000\n"
            + $"persistence_location {_folder}/\n" + string.Concat(listeners);
        await File.WriteAllTextAsync(Path.Combine(_folder, "mosquitto.conf"), text, cancellationToken);
    }
}
