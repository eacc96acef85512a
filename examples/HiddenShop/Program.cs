// A shop that opens no port of this machine: its customers come in through a tunnel.
// usage: HiddenShop [SERVER [NAME]]
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Mooring.Tunnel.Client;
using Mooring.Tunnel.Client.Listening;

var server = args.Length > 0 ? args[0] : "localhost:6400";
var name = args.Length > 1 ? args[1] : "shop";

// An account for a try. A real shop keeps its token: the name belongs to the account.
using var api = new TunnelApi(server);
var token = await api.RegisterAsync();

var builder = WebApplication.CreateSlimBuilder();
builder.Services.AddSingleton<IConnectionListenerFactory, TunnelTransport>();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(new TunnelEndPoint(new TunnelClientOptions
{
    Server = server,
    Token = token,
    Tunnels = [new TunnelDefinition { Subdomain = name }],
})));

await using var shop = builder.Build();
shop.MapGet("/", () => "Open. See /apples and /pears.");
shop.MapGet("/{fruit}", (string fruit) => $"Two {fruit} for one.");
await shop.StartAsync();
Console.WriteLine($"the shop is open as '{name}'");
await shop.WaitForShutdownAsync();
