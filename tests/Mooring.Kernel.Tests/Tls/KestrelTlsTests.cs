using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Tls;

public sealed class KestrelTlsTests : MooringTest
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mooring-kestrel-tls-").FullName;
    private readonly InMemoryTransport _transport = new();
    private readonly TaskCompletionSource<string> _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task ConnectionHandler_SpeaksInsideTlsAndSeesTheClientsName()
    {
        using var authority = DevelopmentAuthority.LoadOrCreate(_folder, TimeProvider.System);
        using var certificate = new ReloadableCertificate(authority.Server(), TimeProvider.System, LoggerFactory.CreateLogger("tls"));
        await StartAsync(certificate);
        var client = PemFiles.Load(authority.Client("car-7"), TimeProvider.System.GetUtcNow());
        await using var connection = await _transport.ConnectAsync("tls", TestTimeout);
        await using var stream = new SslStream(connection.AsStream());
        await stream.AuthenticateAsClientAsync(client.ClientOptions("localhost"), TestTimeout);
        await stream.WriteAsync("ping"u8.ToArray(), TestTimeout);
        var answer = new byte[4];
        await stream.ReadExactlyAsync(answer, TestTimeout);
        Assert.Equal("ping"u8.ToArray(), answer);
        Assert.Equal("car-7", await _seen.Task.WaitAsync(TestTimeout));
    }

    [Fact]
    public async Task ClientWithoutCertificate_NeverReachesTheHandler()
    {
        using var authority = DevelopmentAuthority.LoadOrCreate(_folder, TimeProvider.System);
        using var certificate = new ReloadableCertificate(authority.Server(), TimeProvider.System, LoggerFactory.CreateLogger("tls"));
        await StartAsync(certificate);
        var nobody = PemFiles.Load(new TlsFiles { Authorities = authority.AuthorityPath }, TimeProvider.System.GetUtcNow());
        await using var connection = await _transport.ConnectAsync("tls", TestTimeout);
        await using var stream = new SslStream(connection.AsStream());
        // TLS 1.3: the client's handshake ends before the server judges; the refusal shows at the first read.
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await stream.AuthenticateAsClientAsync(nobody.ClientOptions("localhost"), TestTimeout);
            if (await stream.ReadAsync(new byte[1], TestTimeout) == 0) throw new IOException("closed");
        });
        Assert.False(_seen.Task.IsCompleted);
    }

    private async Task StartAsync(ReloadableCertificate certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(Log);
        builder.Services.AddSingleton<IConnectionListenerFactory>(_transport);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            new InMemoryEndPoint("tls"), listen => listen.UseTls(certificate, ClientCertificates.Required).Run(EchoAsync)));
        var app = Own(builder.Build());
        await app.StartAsync(TestTimeout);
    }

    private async Task EchoAsync(ConnectionContext connection)
    {
        var shown = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        _seen.TrySetResult(shown?.GetNameInfo(X509NameType.SimpleName, forIssuer: false) ?? "nobody");
        await connection.Transport.Input.CopyToAsync(connection.Transport.Output);
    }
}
