using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Mooring.Edge.Hub;
using Mooring.Testing;

namespace Mooring.Edge.Tests.Hub;

/// <summary>A hub with an operator at its API; its agents are processes.</summary>
internal sealed class HubUnderTest : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly Func<IPEndPoint> _agents;

    private HubUnderTest(WebApplication application, Func<IPEndPoint> agents, HubOptions options)
    {
        (_application, _agents, Options) = (application, agents, options);
        Http = new HttpClient { BaseAddress = new Uri(application.Urls.First(u => u.StartsWith("http:", StringComparison.Ordinal))) };
    }

    public HubOptions Options { get; }

    /// <summary>An operator on this machine.</summary>
    public HttpClient Http { get; }

    public IPEndPoint Agents => _agents();

    public EdgeHub Hub => _application.Services.GetRequiredService<EdgeHub>();

    public static async Task<HubUnderTest> StartAsync(ILoggerProvider log, string folder, Func<HubOptions, HubOptions>? change = null, TimeProvider? time = null)
    {
        var options = new HubOptions { Agents = new IPEndPoint(IPAddress.Loopback, 0), Folder = folder };
        options = change?.Invoke(options) ?? options;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(log).AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var agents = builder.AddEdgeHub(options);
        var application = builder.Build();
        application.UseEdgeHub();
        await application.StartAsync();
        return new HubUnderTest(application, agents, options);
    }

    /// <summary>Enrols an agent over the API; returns the files of its identity.</summary>
    public async Task<JsonObject> EnrolAsync(string id, CancellationToken cancellationToken)
    {
        using var response = await Http.PostAsJsonAsync("/api/orchestrators", new { id }, cancellationToken);
        response.EnsureSuccessStatusCode();
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!;
        var folder = Directory.CreateTempSubdirectory("mooring-agent").FullName;
        foreach (var (name, field) in new[] { ("cert", "certificate"), ("key", "key"), ("ca", "authority") })
            await File.WriteAllTextAsync(Path.Combine(folder, name), answer[field]!.GetValue<string>(), cancellationToken);
        return new JsonObject
        {
            ["cert"] = Path.Combine(folder, "cert"), ["key"] = Path.Combine(folder, "key"), ["ca"] = Path.Combine(folder, "ca"),
        };
    }

    public ProcessUnderTest StartAgent(string id, JsonObject tls, int? beat = 100, string? transport = null)
    {
        var setup = new JsonObject { ["url"] = $"https://localhost:{Agents.Port}", ["tls"] = tls.DeepClone(), ["id"] = id, ["beat"] = beat };
        if (transport is not null) setup["transports"] = new JsonArray(transport);
        return ProcessUnderTest.Start(NodePeer.Start("edge-agent.cjs", setup.ToJsonString()));
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        HttpMethod method, string path, string? json, CancellationToken cancellationToken, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Http.SendAsync(request, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    public Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _application.StopAsync();
        await _application.DisposeAsync();
    }
}
