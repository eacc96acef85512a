using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Mooring.Chat.Configuration;
using Mooring.Kernel.Options;
using Mooring.Kernel.Tls;

namespace Mooring.Chat.Tests.Lines;

/// <summary>TLS on both listeners.</summary>
public sealed class TlsTests : ChatTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("chat-tls-").FullName;

    [Fact]
    public async Task C20_lines_over_tls_and_a_renewal_that_disconnects_nobody()
    {
        var files = Issue("one");
        var server = await StartAsync(Standard with { Mode = ChatMode.Both, UseSsl = true, HttpUseSsl = true, CertPath = files.Certificate, KeyPath = files.Key });
        var (old, oldSubject) = await ConnectTlsAsync(server);
        await old.SayAsync("HELLO main:old", "OK HELLO main:old");
        var renewed = Issue("two");
        File.Copy(renewed.Certificate!, files.Certificate!, overwrite: true);
        File.Copy(renewed.Key!, files.Key!, overwrite: true);
        server.ReloadFiles();
        var (young, youngSubject) = await ConnectTlsAsync(server);
        Assert.NotEqual(oldSubject, youngSubject);
        await young.SayAsync("HELLO main:young", "OK HELLO main:young");
        await old.ExpectAsync("MSG main:server Client young has joined Chat room main");
        await old.SayAsync("SEND main:old still here", "MSG main:old still here");
        await young.ExpectAsync("MSG main:old still here");
        await young.SayAsync("QUIT", "OK QUIT *:young Good Bye!", "BYE quit");
        Assert.Null(await young.ReadAsync());

        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        using var http = new HttpClient(handler);
        Assert.Contains("Chat Server API", await http.GetStringAsync(new Uri($"https://{server.HttpEndPoint}/"), TestTimeout), StringComparison.Ordinal);
        await old.DisposeAsync();
    }

    [Fact]
    public async Task Plain_text_on_a_tls_port_is_closed_and_harms_nobody()
    {
        var files = Issue("one");
        var server = await StartAsync(Standard with { UseSsl = true, CertPath = files.Certificate, KeyPath = files.Key });
        var plain = await ConnectAsync(server);
        await plain.SendAsync("HELLO main:plain");
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await silent.ConnectAsync(server.SocketEndPoints[0], TestTimeout);
        var buffer = new byte[100];
        while (await plain.Socket.ReceiveAsync(buffer, TestTimeout) > 0)
        {
        }
        var (client, _) = await ConnectTlsAsync(server);
        await client.SayAsync("HELLO main:a", "OK HELLO main:a");
        await client.DisposeAsync();
    }

    [Fact]
    public void T2_tls_without_a_certificate_or_with_a_bad_one_is_refused_with_its_reason()
    {
        var error = Assert.Throws<ConfigurationException>(() => new ChatServer(Standard with { UseSsl = true }, LoggerFactory, TimeProvider.System));
        Assert.Contains("cert_path", error.Message, StringComparison.Ordinal);
        var path = Path.Combine(_folder, "no.pem");
        File.WriteAllText(path, "nonsense");
        error = Assert.Throws<ConfigurationException>(
            () => new ChatServer(Standard with { UseSsl = true, CertPath = path }, LoggerFactory, TimeProvider.System));
        Assert.Contains("no.pem", error.Message, StringComparison.Ordinal);
    }

    private TlsFiles Issue(string name)
    {
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, name), TimeProvider.System);
        var files = authority.Server();
        // In a place of its own: the authority renews its files as it likes.
        var copy = new TlsFiles { Certificate = Path.Combine(_folder, $"{name}.pem"), Key = Path.Combine(_folder, $"{name}.key") };
        File.Copy(files.Certificate!, copy.Certificate);
        File.Copy(files.Key!, copy.Key);
        return copy;
    }

    private async Task<(LineConnection Client, string Thumbprint)> ConnectTlsAsync(ChatServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.SocketEndPoints[0], TestTimeout);
        var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = SslProtocols.None,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            },
            TestTimeout);
        return (new LineConnection(socket, stream, TestTimeout), stream.RemoteCertificate!.GetCertHashString());
    }
}
