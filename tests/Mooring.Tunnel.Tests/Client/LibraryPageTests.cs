using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Mooring.Testing;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Listening;
using Mooring.Tunnel.Tests.Fixture;

namespace Mooring.Tunnel.Tests.Client;

/// <summary>The examples of docs/libraries/tunnel.md: they are this code, and they run.</summary>
public sealed class LibraryPageTests : MooringTest
{
    [Fact]
    public async Task Publishing_Runs()
    {
        var origin = Own(await WebOrigin.StartAsync());
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        var output = new StringWriter();
        await PublishAsync(host.Address, origin.Port, output, VisitAsync, TestTimeout);
        Assert.Equal($"http://demo.localhost:{host.Server.Http.Port}", output.ToString().Trim());

        async Task VisitAsync()
        {
            using var visitor = host.Visitor("demo");
            Assert.Equal("hello", await visitor.GetStringAsync("hello", TestTimeout));
        }
    }

    [Fact]
    public async Task Listening_Runs()
    {
        var host = Own(await TunnelHost.StartAsync(LoggerFactory));
        await ListenAsync(host.Address, await host.TokenAsync(), VisitAsync, TestTimeout);

        async Task VisitAsync()
        {
            using var visitor = host.Visitor("inside");
            Assert.Equal("from inside", await visitor.GetStringAsync("", TestTimeout));
        }
    }

    [Fact]
    public void Examples_AreThoseOfThePage()
    {
        var source = File.ReadAllText(RepositoryRoot.Combine("tests", "Mooring.Tunnel.Tests", "Client", "LibraryPageTests.cs"));
        var page = File.ReadAllText(RepositoryRoot.Combine("docs", "libraries", "tunnel.md"));
        Assert.Equal(Pieces(source, "// The example begins.\n", "        // The example ends.", "        "), Pieces(page, "```csharp\n", "```", ""));
    }

    private static async Task PublishAsync(string server, int port, TextWriter output, Func<Task> untilDoneAsync, CancellationToken cancellationToken)
    {
        // The example begins.
        using var api = new TunnelApi(server);
        var token = await api.RegisterAsync(cancellationToken: cancellationToken);

        await using var client = await TunnelClient.ConnectAsync(
            new TunnelClientOptions
            {
                Server = server,
                Token = token,
                Tunnels = [new TunnelDefinition { LocalPort = port, Subdomain = "demo" }],
            },
            cancellationToken: cancellationToken);

        await output.WriteLineAsync(client.Tunnels[0].Url);
        await untilDoneAsync();
        // The example ends.
    }

    private static async Task ListenAsync(string server, string token, Func<Task> untilDoneAsync, CancellationToken cancellationToken)
    {
        // The example begins.
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<IConnectionListenerFactory, TunnelTransport>();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(new TunnelEndPoint(new TunnelClientOptions
        {
            Server = server,
            Token = token,
            Tunnels = [new TunnelDefinition { Subdomain = "inside" }],
        })));

        await using var application = builder.Build();
        application.MapGet("/", () => "from inside");
        await application.StartAsync(cancellationToken);
        await untilDoneAsync();
        // The example ends.
    }

    private static IEnumerable<string> Pieces(string text, string start, string end, string indentation) => text
        .Split(start)[1..]
        .Where(piece => piece.Contains(end, StringComparison.Ordinal))
        .Select(piece => piece[..piece.IndexOf(end, StringComparison.Ordinal)].Replace("\n" + indentation, "\n", StringComparison.Ordinal).Trim())
        .Where(piece => piece.Contains("await", StringComparison.Ordinal));
}
