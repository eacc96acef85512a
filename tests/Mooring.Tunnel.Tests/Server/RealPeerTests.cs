using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Server;

/// <summary>Programs of others at both ends of a tunnel: OpenSSH, node's HTTP/2, ws.</summary>
[Trait("Peer", "real")]
public sealed class RealPeerTests : MooringTest
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mooring-peers-");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private async Task<(TunnelHost Host, TunnelClient Client)> PublishAsync(TunnelDefinition definition)
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var client = Own(await TunnelClient.ConnectAsync(
            new TunnelClientOptions { Server = host.Address, Token = await host.TokenAsync(), Tunnels = [definition] }, LoggerFactory, cancellationToken: TestTimeout));
        return (host, client);
    }

    private async Task<string> RunAsync(string program, params string[] arguments)
    {
        await using var process = ProcessUnderTest.Start(program, arguments);
        process.Input.Close();
        var code = await process.ExitAsync(TestTimeout);
        var output = string.Join('\n', process.Lines);
        Assert.True(code == 0, $"{program} ended with {code}:\n{output}");
        return output;
    }

    private async Task<int> StartSshDaemonAsync()
    {
        var port = FreePort.Next();
        Directory.CreateDirectory("/run/sshd");
        foreach (var key in new[] { "host", "user" }) await RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", In(key));
        File.Copy(In("user.pub"), In("authorized"));
        await File.WriteAllTextAsync(
            In("sshd"),
            $"""
            Port {port.ToString(CultureInfo.InvariantCulture)}
            ListenAddress 127.0.0.1
            HostKey {In("host")}
            AuthorizedKeysFile {In("authorized")}
            PidFile none
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            Subsystem sftp internal-sftp
            """,
            TestTimeout);
        Own(ProcessUnderTest.Start("/usr/sbin/sshd", ["-D", "-e", "-f", In("sshd")]));
        while (true)
        {
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, port, TestTimeout);
                return port;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestTimeout);
            }
        }
    }

    [Fact]
    public async Task Ssh_RunsCommands_AndCarriesFiles_ThroughATcpTunnel()
    {
        var (_, client) = await PublishAsync(new TunnelDefinition { Protocol = TunnelProtocol.Tcp, LocalPort = await StartSshDaemonAsync() });
        string[] login =
        [
            "-F", "/dev/null", "-i", In("user"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
        ];
        var port = client.Tunnels[0].RemotePort!.Value.ToString(CultureInfo.InvariantCulture);
        var me = $"{Environment.UserName}@127.0.0.1";
        Assert.Equal("42", await RunAsync("ssh", [.. login, "-p", port, me, "echo $((6*7))"]));
        var sent = RandomNumberGenerator.GetBytes(20_000_000);
        await File.WriteAllBytesAsync(In("sent"), sent, TestTimeout);
        await RunAsync("scp", [.. login, "-q", "-P", port, In("sent"), $"{me}:{In("there")}"]);
        await RunAsync("scp", [.. login, "-q", "-P", port, $"{me}:{In("there")}", In("back")]);
        Assert.Equal(SHA256.HashData(sent), SHA256.HashData(await File.ReadAllBytesAsync(In("back"), TestTimeout)));
        var codes = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => RunAsync("ssh", [.. login, "-p", port, me, $"echo {i}"])));
        Assert.Equal(["0", "1", "2", "3"], codes);
    }

    [Theory]
    [InlineData("websocket", false)]
    [InlineData("grpc", true)]
    public async Task NodesVisitorAndApplication_UnderstandEachOther(string visit, bool isHttp2)
    {
        await using var application = ProcessUnderTest.Start(NodePeer.Start("tunnel.cjs", "serve"));
        var ports = (await application.LineAsync("ready", TestTimeout)).Split(' ');
        var (host, _) = await PublishAsync(new TunnelDefinition { LocalPort = int.Parse(ports[isHttp2 ? 2 : 1], CultureInfo.InvariantCulture), Subdomain = "demo", IsHttp2 = isHttp2 });
        for (var i = 0; i < 3; i++)
        {
            await using var visitor = ProcessUnderTest.Start(NodePeer.Start(
                "tunnel.cjs", visit, host.Server.Http.Port.ToString(CultureInfo.InvariantCulture), $"demo.localhost:{host.Server.Http.Port}"));
            Assert.Equal((0, "ok"), (await visitor.ExitAsync(TestTimeout), string.Join('\n', visitor.Lines)));
        }
    }
}
