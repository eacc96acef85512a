using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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
        var server = await StartAsync(Standard with { Mode = ChatMode.Both, UseSsl = true, HttpUseSsl = true, CertPath = files.Certificate, KeyPath = files.Key, Announce = Announcements.None });
        var (old, oldSubject) = await ConnectTlsAsync(server, null);
        await old.SayAsync("HELLO main:old", "OK HELLO main:old");
        var others = new List<LineConnection>();
        for (var i = 0; i < 40; i++)
        {
            others.Add((await ConnectTlsAsync(server, null)).Client);
            await others[i].SayAsync($"HELLO main:other{i}", $"OK HELLO main:other{i}");
        }
        var renewed = Issue("two");
        File.Copy(renewed.Certificate!, files.Certificate!, overwrite: true);
        File.Copy(renewed.Key!, files.Key!, overwrite: true);
        server.ReloadFiles();
        var (young, youngSubject) = await ConnectTlsAsync(server, null);
        Assert.NotEqual(oldSubject, youngSubject);
        await young.SayAsync("HELLO main:young", "OK HELLO main:young");
        await old.SayAsync("SEND main:old still here", "MSG main:old still here");
        foreach (var other in others)
        {
            await other.ExpectAsync("MSG main:old still here");
            await other.DisposeAsync();
        }
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
        var (client, _) = await ConnectTlsAsync(server, null);
        await client.SayAsync("HELLO main:a", "OK HELLO main:a");
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_handshake_that_never_finishes_is_cut_and_nobody_waits_for_it()
    {
        var files = Issue("one");
        var server = await StartAsync(Standard with { UseSsl = true, CertPath = files.Certificate, KeyPath = files.Key });
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await silent.ConnectAsync(server.SocketEndPoints[0], TestTimeout);
        using var half = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await half.ConnectAsync(server.SocketEndPoints[0], TestTimeout);
        // The head of a TLS record that promises 512 bytes of a ClientHello, and its first bytes.
        await half.SendAsync(Convert.FromHexString("1603010200010001FC0303"), TestTimeout);
        var (client, _) = await ConnectTlsAsync(server, null);
        await client.SayAsync("HELLO main:a", "OK HELLO main:a");
        var buffer = new byte[1024];
        foreach (var socket in new[] { silent, half }) Assert.Equal(0, await ReceiveAsync(socket, buffer));
        await client.NothingAsync();
        await client.DisposeAsync();
    }

    [Fact]
    public async Task E05_a_client_certificate_names_the_client()
    {
        using var authority = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, "ca"), TimeProvider.System);
        var files = authority.Server();
        var server = await StartAsync(Standard with
        {
            Mode = ChatMode.Both, UseSsl = true, HttpUseSsl = true, CertPath = files.Certificate, KeyPath = files.Key, ClientCaPath = authority.AuthorityPath,
        });
        var (alice, _) = await ConnectTlsAsync(server, Certificate(authority.Client("alice")));
        await alice.SayAsync("HELLO main:bob", "ERROR main:bob not-owner the token is not for bob");
        await alice.SayAsync("HELLO", "OK HELLO main:alice");

        // No certificate, and one of another authority: neither gets as far as a line.
        using var foreign = DevelopmentAuthority.LoadOrCreate(Path.Combine(_folder, "foreign"), TimeProvider.System);
        foreach (var certificate in new[] { null, Certificate(foreign.Client("alice")) })
        {
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                var (nobody, _) = await ConnectTlsAsync(server, certificate);
                await nobody.SendAsync("HELLO main:mallory");
                if (await nobody.ReadAsync() is null) throw new IOException("closed");
            });
        }

        Assert.Equal(System.Net.HttpStatusCode.OK, await PostAsync(server, Certificate(authority.Client("robot"))));
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, await PostAsync(server, null));
        await alice.ExpectAsync("MSG main:server Client robot has joined Chat room main");
        await alice.DisposeAsync();
    }

    [Fact]
    public void Certificates_of_clients_need_tls()
    {
        var error = Assert.Throws<ConfigurationException>(() => new ChatServer(Standard with { ClientCaPath = "ca.pem" }, LoggerFactory, TimeProvider.System));
        Assert.Contains("client_ca_path", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_header_of_a_load_balancer_comes_before_tls()
    {
        var files = Issue("one");
        var server = await StartAsync(Standard with { UseSsl = true, ProxyProtocol = true, CertPath = files.Certificate, KeyPath = files.Key });
        var (client, _) = await ConnectTlsAsync(server, null, "PROXY TCP4 192.0.2.7 198.51.100.2 56324 443\r\n");
        await client.SayAsync("HELLO main:a", "OK HELLO main:a");
        Assert.True(server.Hub.TryFindClient("a", out var session));
        Assert.Equal("192.0.2.7", session.Remote);
        await client.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => ConnectTlsAsync(server, null));
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

    [Fact]
    public async Task A_server_that_wants_the_newest_version_refuses_older_ones()
    {
        var files = Issue("one");
        var server = await StartAsync(Standard with { Mode = ChatMode.Both, UseSsl = true, HttpUseSsl = true, RequireTls13 = true, CertPath = files.Certificate, KeyPath = files.Key });
        foreach (var endPoint in new[] { server.SocketEndPoints[0], server.HttpEndPoint! })
        {
            await Assert.ThrowsAnyAsync<Exception>(() => HandshakeAsync(endPoint, SslProtocols.Tls12));
            Assert.Equal(SslProtocols.Tls13, await HandshakeAsync(endPoint, SslProtocols.Tls12 | SslProtocols.Tls13));
        }
    }

    [Theory]
    [InlineData("one.pfx")]
    [InlineData("one.pem")]
    public async Task A_certificate_may_be_one_file_and_its_key_encrypted(string name)
    {
        var files = Issue("plain");
        using var certificate = X509Certificate2.CreateFromPemFile(files.Certificate!, files.Key);
        var path = Path.Combine(_folder, name);
        using var key = certificate.GetECDsaPrivateKey()!;
        if (name.EndsWith(".pfx", StringComparison.Ordinal)) await File.WriteAllBytesAsync(path, certificate.Export(X509ContentType.Pkcs12, "sesame"), TestTimeout);
        else await File.WriteAllTextAsync(path, certificate.ExportCertificatePem() + "\n" + key.ExportEncryptedPkcs8PrivateKeyPem("sesame", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 10_000)), TestTimeout);
        var options = Standard with { UseSsl = true, CertPath = path, CertPassword = "sesame" };
        var server = await StartAsync(options);
        var (client, subject) = await ConnectTlsAsync(server, null);
        Assert.Equal(certificate.Thumbprint, subject);
        await client.DisposeAsync();
        foreach (var password in new[] { null, "wrong" })
        {
            var error = Assert.Throws<ConfigurationException>(() => new ChatServer(options with { CertPassword = password }, LoggerFactory, TimeProvider.System));
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("wrong", error.Message, StringComparison.Ordinal);
        }
    }

    private async Task<SslProtocols> HandshakeAsync(System.Net.IPEndPoint endPoint, SslProtocols protocols)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(endPoint, TestTimeout);
        await using var stream = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = protocols }, TestTimeout);
        return stream.SslProtocol;
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

    private static X509Certificate2 Certificate(TlsFiles files)
    {
        using var certificate = X509Certificate2.CreateFromPemFile(files.Certificate!, files.Key);
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }

    private async Task<System.Net.HttpStatusCode> PostAsync(ChatServer server, X509Certificate2? certificate)
    {
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        handler.SslOptions.ClientCertificates = certificate is null ? [] : [certificate];
        using var http = new HttpClient(handler);
        using var content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"https://{server.HttpEndPoint}/clients/register"), content, TestTimeout);
        return answer.StatusCode;
    }

    /// <summary>Reads until the server closes; a reset is an end, too.</summary>
    private async Task<int> ReceiveAsync(Socket socket, byte[] buffer)
    {
        try
        {
            int received;
            do received = await socket.ReceiveAsync(buffer, TestTimeout);
            while (received > 0);
            return received;
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private async Task<(LineConnection Client, string Thumbprint)> ConnectTlsAsync(ChatServer server, X509Certificate2? certificate, string header = "")
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.SocketEndPoints[0], TestTimeout);
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(header), TestTimeout);
        var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ClientCertificates = certificate is null ? [] : [certificate],
                EnabledSslProtocols = SslProtocols.None,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            },
            TestTimeout);
        return (new LineConnection(socket, stream, TestTimeout), stream.RemoteCertificate!.GetCertHashString());
    }
}
