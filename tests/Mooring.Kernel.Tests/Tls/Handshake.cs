using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Mooring.Kernel.Tls;
using Mooring.Testing;

namespace Mooring.Kernel.Tests.Tls;

/// <summary>A TLS handshake in memory.</summary>
internal static class Handshake
{
    /// <summary>The subject that the server saw, empty for none. Throws what either end threw.</summary>
    internal static async Task<string> RunAsync(
        TlsMaterial server, ClientCertificates clients, TlsMaterial client, string host, CancellationToken cancellationToken)
    {
        var (clientEnd, serverEnd) = InMemoryConnection.CreatePair("tls", new InMemoryEndPoint("tls"));
        await using var clientTls = new SslStream(clientEnd.AsStream());
        await using var serverTls = new SslStream(serverEnd.AsStream());
        var serving = serverTls.AuthenticateAsServerAsync(server.ServerOptions(clients), cancellationToken);
        var connecting = clientTls.AuthenticateAsClientAsync(client.ClientOptions(host), cancellationToken);
        var first = await Task.WhenAny(serving, connecting);
        // Only the end that refused: the other still reads and ends by itself when it sees the close.
        if (first.IsFaulted) await (first == serving ? serverEnd : clientEnd).DisposeAsync();
        await Task.WhenAll(serving, connecting).ContinueWith(_ => { }, cancellationToken, TaskContinuationOptions.None, TaskScheduler.Default);
        // The end that refuses says why; the other may see no more than a closed connection.
        var failures = new[] { serving.Exception?.InnerException, connecting.Exception?.InnerException }.OfType<Exception>().ToList();
        if (failures.Count > 0) throw failures.Find(e => e is AuthenticationException) ?? failures[0];
        var seen = serverTls.RemoteCertificate as X509Certificate2;
        await CloseAsync(clientEnd, serverEnd);
        return seen?.Subject ?? "";
    }

    private static async Task CloseAsync(InMemoryConnection a, InMemoryConnection b)
    {
        await a.DisposeAsync();
        await b.DisposeAsync();
    }
}
